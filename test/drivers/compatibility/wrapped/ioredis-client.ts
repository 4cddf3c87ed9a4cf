import { Redis } from 'ioredis';
import { harden } from '../../../../src/drivers/ioredis.js';
import { url, workTwice } from '../application.js';

const redis = harden(new Redis(url.href));
redis.on('error', () => undefined); // the driver would print it
await workTwice(() => redis.incr('ioredis'));
