import { ImapFlow } from 'imapflow';
import { url, workTwice } from '../application.js';

const client = new ImapFlow({
  host: url.hostname,
  port: Number(url.port),
  secure: false,
  doSTARTTLS: false,
  auth: { user: url.username, pass: url.password },
  disableAutoIdle: true,
  logger: false,
});
client.on('error', () => undefined); // the driver's documentation asks for a listener
await client.connect();
await workTwice(async () => {
  const status = await client.status('INBOX', { messages: true });
  if (!status) throw new Error('no status'); // how the driver says that the connection is lost
});
