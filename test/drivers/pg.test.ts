import { expect } from 'chai';
import pg from 'pg';
import { harden } from '../../src/drivers/pg.js';
import { verdictOf } from '../../src/index.js';
import type { NatLab } from '../../src/lab/index.js';
import { until, useNatLab } from '../support/nat.js';
import { usePostgres } from '../support/servers/use-postgres.js';

/** Nothing but the gate can help: no keepalive and no heartbeat within a test's life, and nothing learned. */
const GATE_ONLY = {
  keepalive: { idle: '1h' },
  heartbeat: false,
  probeAfterIdle: '1s',
  learn: false,
} as const;
const KEEPALIVE_ONLY = { keepalive: { idle: '1s', interval: '1s' }, heartbeat: false } as const;

describe('pg behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const db = usePostgres(nat);

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    describe(`and then answers with ${expiry === 'drop' ? 'silence' : 'a reset'}`, () => {
      before(() => nat.lab.configure({ expiry }));

      it('takes the bare client, and neither the hardened one nor the hardened TLS one', async () => {
        const bare = new pg.Client(db.config);
        bare.on('error', () => undefined); // the bare driver would end the process
        const plain = harden(new pg.Client(db.config), KEEPALIVE_ONLY);
        const secure = harden(new pg.Client({ ...db.config, ssl: { ca: db.ca } }), KEEPALIVE_ONLY);
        await Promise.all([bare.connect(), plain.connect(), secure.connect()]);
        await db.forgets(bare);

        expect((await plain.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
        const encryption = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
        expect((await secure.query(encryption)).rows).to.deep.equal([{ ssl: true }]);
        if (expiry === 'drop') expect(await hangs(bare, nat.lab)).to.equal(true);
        else expect(await failure(bare.query('SELECT 2'))).to.include({ code: 'ECONNRESET' });

        await Promise.all([plain.end(), secure.end()]);
        bare.connection.stream.destroy();
      });

      for (const encryption of ['plain', 'TLS'] as const) {
        it(`lets no statement out into a forgotten flow, and says so (${encryption})`, async () => {
          const table = await db.table();
          const config = encryption === 'TLS' ? { ...db.config, ssl: { ca: db.ca } } : db.config;
          let client = harden(new pg.Client(config), GATE_ONLY);
          await client.connect();
          await db.forgets(client);

          const mark = `${table} doomed`;
          const error = await failure(client.query(`INSERT INTO ${table} VALUES (1) -- ${mark}`));
          expect(verdictOf(error)).to.include({
            cause: expiry === 'drop' ? 'path-timeout' : 'nat-eviction',
            delivery: 'never-sent',
          });
          expect(db.server.log()).not.to.contain(mark);

          const later = await failure(client.query('SELECT 3'));
          expect(later).to.have.property('message').that.contains('not queryable');
          expect(verdictOf(later)).to.include({ delivery: 'never-sent' });

          client = harden(new pg.Client(config), GATE_ONLY);
          await client.connect();
          await client.query(`INSERT INTO ${table} VALUES (1)`);
          expect((await client.query(`SELECT * FROM ${table}`)).rows).to.have.length(1);
          await client.end();
        });
      }
    });
  }

  it('is kept awake by heartbeats on every idle connection of a pool, not just the last used', async () => {
    await nat.lab.configure({ expiry: 'reset-on-packet' });
    const pool = new pg.Pool({ ...db.config, max: 3, idleTimeoutMillis: 0 });
    harden(pool, { keepalive: { idle: '1h' }, learn: false, heartbeat: { interval: '1s' } });
    const bare = new pg.Client(db.config);
    bare.on('error', () => undefined);
    await bare.connect();
    const backends = await backendsOf(pool);
    await db.forgets(bare);
    expect(await backendsOf(pool)).to.have.members(backends);
    await pool.end();
    bare.connection.stream.destroy();
  });

  it('does not beat behind running work', async () => {
    const client = harden(new pg.Client(db.config), { heartbeat: { interval: '1s', timeout: '1s' } });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_sleep(2.5)');
    expect(rows).to.have.length(1);
    const beats = (): number =>
      db.server.log().match(new RegExp(`^${rows[0]?.pid ?? 0} LOG: +statement: *$`, 'gm'))?.length ?? 0;
    expect(beats()).to.equal(0);
    await until('a beat comes once it is idle', () => beats() === 1);
    await client.end();
  });

  it('survives the end of an idle client, and tells the next query why', async () => {
    const client = harden(new pg.Client(db.config));
    const { rows } = await client
      .connect()
      .then(() => client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'));
    const ended = new Promise(resolve => client.once('end', () => resolve(undefined)));
    await db.admin(`SELECT pg_terminate_backend(${rows[0]?.pid ?? 0})`);
    await ended;
    const error = await failure(client.query('SELECT 1'));
    expect(error).to.have.nested.property('cause.code', '57P01');
    const byCallback = await new Promise(resolve => {
      client.query('SELECT 1', (given: unknown) => resolve(given));
    });
    expect(byCallback).to.have.nested.property('cause.code', '57P01');
  });

  it('repeats no statement that was sent', async () => {
    const table = await db.table();
    const pool = harden(new pg.Pool({ ...db.config, max: 1 }), GATE_ONLY);
    const suicide = `INSERT INTO ${table} VALUES (1); SELECT pg_terminate_backend(pg_backend_pid())`;
    expect(await failure(pool.query(suicide))).to.have.property('code', '57P01');
    const timesLogged = (): number => db.server.log().split(`statement: ${suicide}`).length - 1;
    // The server's log comes by a pipe of its own, later than its answer.
    await until('the statement is in the log', () => timesLogged() > 0);
    await pool.query('SELECT 1'); // a repetition would have been logged before it
    await until('so is the one behind it', () => db.server.log().includes('statement: SELECT 1'));
    expect(timesLogged()).to.equal(1);
    await pool.end();
  });
});

/** The server processes of three connections used at once. */
async function backendsOf(pool: pg.Pool): Promise<number[]> {
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
  const pids: number[] = [];
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    pids.push(rows[0]?.pid ?? 0);
    client.release();
  }
  return pids;
}

function failure(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  );
}

/** Whether a query gets no answer while the NAT swallows it and its retransmissions. */
async function hangs(client: pg.Client, lab: NatLab): Promise<boolean> {
  let dropped = 0;
  const count = ({ packets }: { packets: number }): void => void (dropped += packets);
  lab.on('dropped', count);
  let isSettled = false;
  const settle = (): void => void (isSettled = true);
  client.query('SELECT 2').then(settle, settle);
  await until('the query and its retransmissions are swallowed', () => dropped >= 3);
  lab.off('dropped', count);
  return !isSettled;
}
