import { ImapFlow } from 'imapflow';
import { supervise } from '../../../../src/drivers/imapflow.js';
import { imapConfig } from '../../../support/imap-config.js';
import { url, workTwice } from '../application.js';

const session = supervise({ open: () => new ImapFlow({ ...imapConfig(url), disableAutoIdle: true }) });
await workTwice(async () => {
  const status = await session.run(client => client.status('INBOX', { messages: true }));
  if (!status) throw new Error('no status'); // how the driver says that the connection is lost
});
