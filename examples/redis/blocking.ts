/** A worker that waits for jobs longer than the NAT remembers, and keeps its connection. */
import { createClient } from 'redis';
import { harden } from 'holdfast/redis';
import { startRedis } from '../../test/support/servers/redis.js';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startRedis(lab, 6379);
const url = `redis://${lab.serverAddress}:${server.port}`;
// Before connect(): the driver keeps its socket to itself afterwards.
const redis = harden(createClient({ url }), {
  keepalive: { idle: '1s', interval: '1s' },
  heartbeat: { interval: '1s' },
});
redis.on('reconnecting', () => console.log('reconnecting: this does not happen'));
await redis.connect();

const before = await redis.clientId();
console.log('waiting for a job ...');
const waiting = redis.blPop('jobs', 0);
await new Promise(resolve => setTimeout(resolve, 7000));
const helper = await createClient({ url }).connect();
await helper.rPush('jobs', 'a job');
const job = await waiting;
console.log(`got: ${job?.element ?? '?'}`);
console.log(`still the same connection: ${(await redis.clientId()) === before}`);

helper.destroy();
redis.destroy();
await server.stop();
await lab.close();
