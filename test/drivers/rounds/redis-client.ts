import { createClient } from 'redis';
import { harden } from '../../../src/drivers/redis.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(async options => {
  const client = harden(createClient({ url: url.href }), options);
  client.on('error', () => undefined); // the driver's documentation asks for a listener
  await client.connect();
  const both = (n: number): Promise<unknown> =>
    Promise.all([client.rPush(place, String(n)), client.sendCommand(['INCR', `${place}n`])]);
  const atOnce = (n: number): Promise<unknown> =>
    client.multi().rPush(place, String(n)).incr(`${place}n`).exec();
  return {
    write: next => Promise.all([both(next()), atOnce(next())]),
    count: () => client.lLen(place),
    close: () => client.close(),
  };
});
