import mysql from 'mysql2/promise';
import { harden } from '../../../src/drivers/mysql2.js';
import { place, url, workInRounds } from './application.js';

await workInRounds(async options => {
  const connection = harden(await mysql.createConnection(url.href), options);
  return {
    write: next => connection.execute(`INSERT INTO ${place} VALUES (?)`, [next()]),
    async count() {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${place}`);
      return Number(rows[0]?.['n']);
    },
    close: () => connection.end(),
  };
});
