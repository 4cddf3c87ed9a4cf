import { connectAsync } from 'mqtt';
import { url, workTwice } from '../application.js';

// The driver counts a message of QoS 0 as published once it is written. What comes back through the broker was; the
// broker keeps the session, so that this does not hang on when the driver subscribes again.
const clientId = `qos0-${process.pid}`;
const client = await connectAsync(url.href, { clean: false, clientId });
client.on('error', () => undefined); // the driver's documentation asks for a listener
await client.subscribeAsync(clientId);
await workTwice(async () => {
  const received = new Promise(resolve => client.once('message', resolve));
  await client.publishAsync(clientId, 'message');
  await received;
});
