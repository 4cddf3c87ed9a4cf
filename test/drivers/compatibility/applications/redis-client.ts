import { createClient } from 'redis';
import { url, workTwice } from '../application.js';

const client = createClient({ url: url.href });
client.on('error', () => undefined); // the driver's documentation asks for a listener
await client.connect();
await workTwice(() => client.incr('redis'));
