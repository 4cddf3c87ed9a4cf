/** A LISTEN session that goes on when the NAT has forgotten its connection. */
import pg from 'pg';
import { supervise } from 'holdfast/pg';
import { startPostgres } from '../../test/support/servers/postgres.js';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startPostgres(lab);
const config = { host: lab.serverAddress, port: server.port, user: server.user, database: server.database };

const session = supervise({
  // Runs for the first client and for each one after it.
  open: async () => {
    const client = new pg.Client(config);
    client.on('notification', ({ payload }) => console.log(`heard: ${payload ?? ''}`));
    await client.connect();
    await client.query("SET application_name = 'worker'");
    await client.query('LISTEN jobs');
    return client;
  },
  // Runs on each client but the first: whatever was notified meanwhile is lost, so look for it.
  resume: async client => {
    const { rows } = await client.query<{ missed: string }>('SELECT count(*) AS missed FROM jobs');
    console.log(`catching up: ${rows[0]?.missed ?? 0} jobs in the table`);
  },
  // Later than the NAT's 3 s, so that it does forget. With the defaults it would not come to that.
  keepalive: { idle: '1h' },
  heartbeat: { interval: '4s' },
});
session.on('lost', ({ verdict }) => console.log(`lost: ${verdict?.cause ?? 'unknown'}`));
session.on('resumed', ({ generation, downtime }) => {
  console.log(`resumed: client ${generation} after ${Math.round(downtime)} ms`);
});

async function notify(payload: string): Promise<void> {
  const client = new pg.Client(config);
  await client.connect();
  await client.query('SELECT pg_notify($1, $2)', ['jobs', payload]);
  await client.end();
}

await session.run(client => client.query('CREATE TABLE jobs (id integer)'));
await notify('before');
console.log('silence ...');
await new Promise(resolve => session.once('resumed', resolve));
await notify('after');
const { rows } = await session.run(client =>
  client.query<{ name: string }>("SELECT current_setting('application_name') AS name"),
);
console.log(`application_name is still ${rows[0]?.name ?? '?'}`);

await session.close();
await server.stop();
await lab.close();
