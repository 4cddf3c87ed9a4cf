import { createConnection } from 'mariadb';
import { url, workTwice } from '../application.js';

const connection = await createConnection({
  host: url.hostname,
  port: Number(url.port),
  user: url.username,
  database: url.pathname.slice(1),
});
connection.on('error', () => undefined);
await workTwice(() => connection.query('SELECT 1'));
