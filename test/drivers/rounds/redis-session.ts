import { createClient } from 'redis';
import { harden, supervise } from '../../../src/drivers/redis.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(options => {
  const session = supervise({
    open: async () => {
      const socket = { reconnectStrategy: false } as const;
      const client = harden(createClient({ url: url.href, socket }), options);
      await client.connect();
      await client.watch(`${place}watched`);
      return client;
    },
  });
  return Promise.resolve({
    write: next => {
      const n = String(next());
      return session.run(client => client.multi().rPush(place, n).incr(`${place}n`).exec());
    },
    count: () => session.run(client => client.lLen(place)),
    close: () => session.close(),
  });
});
