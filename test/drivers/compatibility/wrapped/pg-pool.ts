import pg from 'pg';
import { harden } from '../../../../src/drivers/pg.js';
import { url, workTwice } from '../application.js';

const pool = harden(new pg.Pool({ connectionString: url.href, max: 1, idleTimeoutMillis: 0 }));
await workTwice(() => pool.query('SELECT 1'));
