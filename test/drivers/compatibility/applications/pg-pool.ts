import pg from 'pg';
import { url, workTwice } from '../application.js';

const pool = new pg.Pool({ connectionString: url.href, max: 1, idleTimeoutMillis: 0 });
await workTwice(() => pool.query('SELECT 1'));
