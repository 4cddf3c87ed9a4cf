import { expect } from 'chai';
import pg from 'pg';
import { supervise, type Supervised } from '../../src/drivers/pg.js';
import type { Verdict } from '../../src/index.js';
import { until, useNatLab } from '../support/nat.js';
import { usePostgres } from '../support/servers/use-postgres.js';

/** Beats come after the NAT has forgotten: each finds the flow gone, and nothing is learned. */
const LATE_BEATS = { keepalive: { idle: '1h' }, learn: false, heartbeat: { interval: '4s' } } as const;

describe('a supervised pg session behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const db = usePostgres(nat);

  async function openListening(heard: string[]): Promise<pg.Client> {
    const client = new pg.Client(db.config);
    client.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await client.connect();
    await client.query("SET application_name = 'listener'");
    await client.query('LISTEN jobs');
    return client;
  }

  async function identityOf(session: Supervised<pg.Client>): Promise<{ pid: number; name: string }> {
    const { rows } = await session.run(client =>
      client.query<{ pid: number; name: string }>(
        "SELECT pg_backend_pid() AS pid, current_setting('application_name') AS name",
      ),
    );
    return rows[0] ?? expect.fail('no row');
  }

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    it(`listens again by itself and misses nothing sent after the resume (${expiry})`, async () => {
      await nat.lab.configure({ expiry });
      const heard: string[] = [];
      const resumes: { generation: number; verdict: Verdict | undefined }[] = [];
      const session = supervise({
        open: () => openListening(heard),
        resume: (_client, resumed) => void resumes.push(resumed),
        ...LATE_BEATS,
      });
      const before = await identityOf(session);
      expect(before.name).to.equal('listener');
      await db.admin("NOTIFY jobs, 'first'");
      await until('the first notification is heard', () => heard.length === 1);

      await new Promise(resolve => session.once('resumed', resolve));
      for (let n = 1; n <= 20; n++) await db.admin(`NOTIFY jobs, '${n}'`);
      await until('all are heard', () => heard.length === 21);
      expect(heard).to.deep.equal(['first', ...Array.from({ length: 20 }, (_, index) => String(index + 1))]);

      const after = await identityOf(session);
      expect(after.name).to.equal('listener');
      expect(after.pid).not.to.equal(before.pid);
      expect(resumes).to.have.length(1);
      expect(resumes[0]).to.have.property('generation', 2);
      expect(resumes[0]?.verdict).to.have.property(
        'cause',
        expiry === 'drop' ? 'path-timeout' : 'nat-eviction',
      );
      await session.close();
    });

    it(`runs a statement that met a forgotten flow on the next client, once (${expiry})`, async () => {
      await nat.lab.configure({ expiry });
      const table = await db.table();
      const session = supervise({
        open: () => openListening([]),
        keepalive: { idle: '1h' },
        heartbeat: false,
        probeAfterIdle: '1s',
        learn: false,
      });
      await db.forgets(await session.run(client => client));
      await session.run(client => client.query(`INSERT INTO ${table} VALUES (1)`));
      const { rows } = await session.run(client => client.query(`SELECT * FROM ${table}`));
      expect(rows).to.have.length(1);
      expect(session.generation).to.equal(2);
      await session.close();
    });
  }

  it('reopens after the server ended the session, and not after its user did', async () => {
    const session = supervise({ open: () => openListening([]), heartbeat: false });
    const { pid } = await identityOf(session);
    const resumed = new Promise(resolve => session.once('resumed', resolve));
    await db.admin(`SELECT pg_terminate_backend(${pid})`);
    await resumed;
    const closed = new Promise(resolve => session.once('closed', resolve));
    await session.run(client => client.end());
    await closed;
    expect(session.state).to.equal('closed');
    await session.close();
  });
});
