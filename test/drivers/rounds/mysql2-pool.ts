import mysqlCallback from 'mysql2';
import mysql from 'mysql2/promise';
import { harden } from '../../../src/drivers/mysql2.js';
import { place, url, workInRounds } from './application.js';

const insert = `INSERT INTO ${place} VALUES (?)`;

await workInRounds(options => {
  const config = { uri: url.href, connectionLimit: 2 };
  const callbacks = harden(mysqlCallback.createPool({ ...config, connectionLimit: 1 }), options);
  const promises = harden(mysql.createPool(config), options);

  function byCallback(method: 'query' | 'execute', n: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null): void => (error ? reject(error) : resolve());
      if (method === 'query') callbacks.query(insert, [n], done);
      else callbacks.execute(insert, [n], done);
    });
  }

  async function inTransaction(first: number, second: number): Promise<void> {
    const connection = await promises.getConnection();
    await connection.beginTransaction();
    await connection.query(insert, [first]);
    await connection.execute(insert, [second]);
    await connection.commit();
    connection.release();
  }

  return Promise.resolve({
    write: next =>
      Promise.all([
        byCallback('query', next()),
        byCallback('execute', next()),
        promises.query(insert, [next()]),
        promises.execute(insert, [next()]),
        inTransaction(next(), next()),
      ]),
    async count() {
      const [rows] = await promises.query<mysql.RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${place}`);
      return Number(rows[0]?.['n']);
    },
    close: () => Promise.all([new Promise(resolve => callbacks.end(resolve)), promises.end()]),
  });
});
