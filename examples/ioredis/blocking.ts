/** A worker that waits for jobs longer than the NAT remembers, and keeps its connection. */
import { Redis } from 'ioredis';
import { harden } from 'holdfast/ioredis';
import { startRedis } from '../../test/support/servers/redis.js';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startRedis(lab, 6379);
const redis = harden(new Redis(server.port, lab.serverAddress), {
  keepalive: { idle: '1s', interval: '1s' },
  heartbeat: { interval: '1s' },
});
redis.on('reconnecting', () => console.log('reconnecting: this does not happen'));

const before = await redis.client('ID');
console.log('waiting for a job ...');
const waiting = redis.blpop('jobs', 0);
await new Promise(resolve => setTimeout(resolve, 7000));
const helper = new Redis(server.port, lab.serverAddress);
await helper.rpush('jobs', 'a job');
const job = await waiting;
console.log(`got: ${job?.[1] ?? '?'}`);
console.log(`still the same connection: ${(await redis.client('ID')) === before}`);

helper.disconnect();
redis.disconnect();
await server.stop();
await lab.close();
