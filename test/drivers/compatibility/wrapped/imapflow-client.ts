import { ImapFlow } from 'imapflow';
import { supervise } from '../../../../src/drivers/imapflow.js';
import { url, workTwice } from '../application.js';

const session = supervise({
  open: () =>
    new ImapFlow({
      host: url.hostname,
      port: Number(url.port),
      secure: false,
      doSTARTTLS: false,
      auth: { user: url.username, pass: url.password },
      disableAutoIdle: true,
      logger: false,
    }),
});
await workTwice(async () => {
  const status = await session.run(client => client.status('INBOX', { messages: true }));
  if (!status) throw new Error('no status'); // how the driver says that the connection is lost
});
