import { Cluster } from 'ioredis';
import { harden } from '../../../src/drivers/ioredis.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(options => {
  const nodes = [{ host: url.hostname, port: Number(url.port) }];
  const cluster = harden(new Cluster(nodes, { slotsRefreshTimeout: 5000 }), options);
  const both = (n: number): Promise<unknown> =>
    Promise.all([cluster.rpush(place, n), cluster.incr(`${place}n`)]);
  return Promise.resolve({
    write: next => Promise.all([both(next()), both(next())]),
    count: () => cluster.llen(place),
    close: () => cluster.disconnect(),
  });
});
