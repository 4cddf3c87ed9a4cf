import pg from 'pg';
import { supervise } from '../../../src/drivers/pg.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(options => {
  const session = supervise({
    open: async () => {
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      await client.query(`PREPARE put AS INSERT INTO ${place} VALUES ($1)`);
      return client;
    },
    ...options,
  });
  return Promise.resolve({
    write: next => {
      const n = next();
      return session.run(client => client.query(`EXECUTE put(${n})`));
    },
    count: async () => {
      const { rows } = await session.run(client =>
        client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${place}`),
      );
      return rows[0]?.n ?? NaN;
    },
    close: () => session.close(),
  });
});
