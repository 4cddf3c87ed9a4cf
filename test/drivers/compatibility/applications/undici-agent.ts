import { Agent, request } from 'undici';
import { url, workTwice } from '../application.js';

// Without it the driver closes a connection after 4 s of silence.
const dispatcher = new Agent({ connections: 1, keepAliveTimeout: 600_000 });
await workTwice(async () => (await request(url, { dispatcher })).body.text());
