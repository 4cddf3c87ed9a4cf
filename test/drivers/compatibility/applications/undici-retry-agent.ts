import { Agent, request, RetryAgent } from 'undici';
import { url, workTwice } from '../application.js';

const dispatcher = new RetryAgent(new Agent({ connections: 1, keepAliveTimeout: 600_000 }));
await workTwice(async () => (await request(url, { dispatcher })).body.text());
