import { ImapFlow } from 'imapflow';
import { imapConfig } from '../../../support/imap-config.js';
import { url, workTwice } from '../application.js';

const client = new ImapFlow({ ...imapConfig(url), disableAutoIdle: true });
client.on('error', () => undefined); // the driver's documentation asks for a listener
await client.connect();
await workTwice(async () => {
  const status = await client.status('INBOX', { messages: true });
  if (!status) throw new Error('no status'); // how the driver says that the connection is lost
});
