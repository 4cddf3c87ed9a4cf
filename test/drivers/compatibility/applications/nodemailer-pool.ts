import { createTransport } from 'nodemailer';
import { url, workTwice } from '../application.js';

const transport = createTransport({
  pool: true,
  maxConnections: 1,
  host: url.hostname,
  port: Number(url.port),
});
await workTwice(() =>
  transport.sendMail({ from: 'lab@example.com', to: 'you@example.com', subject: 'lab', text: 'hello' }),
);
