import pg from 'pg';
import { url, workTwice } from '../application.js';

const client = new pg.Client({ connectionString: url.href });
client.on('error', () => undefined);
await client.connect();
await workTwice(() => client.query('SELECT 1'));
