import { connectAsync } from 'mqtt';
import { url, workTwice } from '../application.js';

const client = await connectAsync(url.href);
client.on('error', () => undefined); // the driver's documentation asks for a listener
await workTwice(() => client.publishAsync('mqtt', 'message', { qos: 1 }));
