import { createClient } from 'redis';
import { harden } from '../../../../src/drivers/redis.js';
import { url, workTwice } from '../application.js';

const client = harden(createClient({ url: url.href }));
await client.connect();
await workTwice(() => client.incr('redis'));
