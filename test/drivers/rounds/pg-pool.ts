import pg from 'pg';
import { harden } from '../../../src/drivers/pg.js';
import { place, url, workInRounds } from './application.js';

const insert = `INSERT INTO ${place} VALUES ($1)`;

await workInRounds(options => {
  const pool = harden(new pg.Pool({ connectionString: url.href, max: 2, idleTimeoutMillis: 0 }), options);

  function byCallback(n: number): Promise<void> {
    return new Promise((resolve, reject) =>
      pool.query(insert, [n], error => ((error as Error | undefined) ? reject(error) : resolve())),
    );
  }

  async function inTransaction(first: number, second: number): Promise<void> {
    const client = await pool.connect();
    await client.query('BEGIN');
    for (const n of [first, second]) await client.query(insert, [n]);
    await client.query('COMMIT');
    client.release();
  }

  return Promise.resolve({
    write: next =>
      Promise.all([
        pool.query(insert, [next()]),
        pool.query({ text: insert, values: [next()] }),
        byCallback(next()),
        inTransaction(next(), next()),
      ]),
    async count() {
      const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${place}`);
      return rows[0]?.n ?? NaN;
    },
    close: () => pool.end(),
  });
});
