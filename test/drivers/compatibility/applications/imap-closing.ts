import { once } from 'node:events';
import Imap from 'imap';
import { url, workTwice } from '../application.js';

const imap = new Imap({
  host: url.hostname,
  port: Number(url.port),
  user: url.username,
  password: url.password,
});
imap.on('error', () => undefined);
imap.connect();
await once(imap, 'ready');
// The driver calls nobody back when the connection is lost, so the request has to watch it.
await workTwice(async () => {
  if (imap.state === 'disconnected') throw new Error('disconnected');
  await new Promise<void>((resolve, reject) => {
    const onClose = (): void => reject(new Error('closed'));
    imap.once('close', onClose);
    imap.status('INBOX', (error: Error | null) => {
      imap.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
});
