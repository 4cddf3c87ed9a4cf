import mysql from 'mysql2/promise';
import { supervise } from '../../../src/drivers/mysql2.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(options => {
  const session = supervise({
    open: async () => {
      const connection = await mysql.createConnection(url.href);
      await connection.query('SET @step = 1');
      return connection;
    },
    ...options,
  });
  return Promise.resolve({
    write: next => {
      // What was SET is missing on a connection that `open` did not prepare: the row would be NULL.
      const before = next() - 1;
      return session.run(connection => connection.query(`INSERT INTO ${place} VALUES (? + @step)`, [before]));
    },
    async count() {
      const [rows] = await session.run(connection =>
        connection.query<mysql.RowDataPacket[]>(`SELECT COUNT(n) AS n FROM ${place}`),
      );
      return Number(rows[0]?.['n']);
    },
    close: () => session.close(),
  });
});
