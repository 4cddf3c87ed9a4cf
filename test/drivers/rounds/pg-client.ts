import pg from 'pg';
import { harden } from '../../../src/drivers/pg.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(async options => {
  const client = harden(new pg.Client({ connectionString: url.href }), options);
  await client.connect();
  return {
    write: next => client.query(`INSERT INTO ${place} VALUES ($1)`, [next()]),
    async count() {
      const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${place}`);
      return rows[0]?.n ?? NaN;
    },
    close: () => client.end(),
  };
});
