import { once } from 'node:events';
import Imap from 'imap';
import { url, workTwice } from '../application.js';

const imap = new Imap({
  host: url.hostname,
  port: Number(url.port),
  user: url.username,
  password: url.password,
});
imap.on('error', () => undefined); // the driver's documentation asks for a listener
imap.connect();
await once(imap, 'ready');
setInterval(() => undefined, 60_000); // a program has more to live for than this connection
await workTwice(
  () =>
    new Promise<void>((resolve, reject) => {
      imap.status('INBOX', (error: Error | null) => (error ? reject(error) : resolve()));
    }),
);
