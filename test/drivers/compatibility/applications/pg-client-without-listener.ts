import pg from 'pg';
import { url, workTwice } from '../application.js';

// No 'error' listener, as in many a program: an error of the connection ends the process.
const client = new pg.Client({ connectionString: url.href });
await client.connect();
await workTwice(() => client.query('SELECT 1'));
