import { Redis } from 'ioredis';
import { harden } from '../../../src/drivers/ioredis.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(options => {
  const redis = harden(new Redis(url.href), options);
  redis.on('error', () => undefined); // the driver would print it
  const both = (n: number): Promise<unknown> => Promise.all([redis.rpush(place, n), redis.incr(`${place}n`)]);
  return Promise.resolve({
    write: next => Promise.all([both(next()), both(next())]),
    count: () => redis.llen(place),
    close: () => redis.quit(),
  });
});
