import postgres from 'postgres';
import { url, workTwice } from '../application.js';

const sql = postgres(url.href, { max: 1 });
await workTwice(() => sql`SELECT 1`);
