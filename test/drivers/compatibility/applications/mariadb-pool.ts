import { createPool } from 'mariadb';
import { url, workTwice } from '../application.js';

const pool = createPool({
  host: url.hostname,
  port: Number(url.port),
  user: url.username,
  database: url.pathname.slice(1),
  connectionLimit: 1,
});
await workTwice(() => pool.query('SELECT 1'));
