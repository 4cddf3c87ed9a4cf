import { Redis } from 'ioredis';
import { url, workTwice } from '../application.js';

const redis = new Redis(url.href);
redis.on('error', () => undefined); // the driver would print it
await workTwice(() => redis.incr('ioredis'));
