/** A mysql2 pool whose users never see that the NAT forgot its connections. */
import mysql from 'mysql2/promise';
import { harden, supervise } from 'holdfast/mysql2';
import { startMariadb } from '../../test/support/servers/mariadb.js';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startMariadb(lab);
const config = { host: lab.serverAddress, port: server.port, user: 'holdfast', database: 'lab' };

// Nothing keeps the flows open here, so that the NAT does forget. With the defaults it would not come to that.
const lateForShow = {
  keepalive: { idle: '1h' },
  heartbeat: false,
  probeAfterIdle: '1s',
  learn: false,
} as const;

const pool = harden(mysql.createPool({ ...config, connectionLimit: 3 }), lateForShow);
const session = supervise({
  // Runs for the first connection and for each one after it.
  open: async () => {
    const connection = await mysql.createConnection(config);
    await connection.query('SET @tenant = 7');
    return connection;
  },
  ...lateForShow,
});
session.on('lost', ({ verdict }) => console.log(`session lost: ${verdict?.cause ?? 'unknown'}`));
session.on('resumed', ({ generation }) => console.log(`session resumed: connection ${generation}`));

await pool.query('CREATE TABLE jobs (tenant INT)');
await session.run(connection => connection.query('INSERT INTO jobs VALUES (@tenant)'));
console.log('silence ...');
await forgotten();
await pool.query('INSERT INTO jobs VALUES (1)');
await session.run(connection => connection.query('INSERT INTO jobs VALUES (@tenant)'));
const [rows] = await pool.query<mysql.RowDataPacket[]>('SELECT tenant FROM jobs ORDER BY tenant');
console.log(`rows: ${rows.map(({ tenant }) => String(tenant)).join(', ')}`);

await session.close();
await pool.end();
await server.stop();
await lab.close();

/** Resolves once the NAT knows none of the flows any more. */
async function forgotten(): Promise<void> {
  if (typeof lab === 'number') return;
  while ((await lab.flows()).some(({ state }) => state === 'ESTABLISHED')) {
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}
