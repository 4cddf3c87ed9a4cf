import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import mysqlCallback from 'mysql2';
import mysql from 'mysql2/promise';
import { createClient } from 'redis';
import { harden as hardenIoredis } from '../../src/drivers/ioredis.js';
import { harden as hardenMysql2, supervise as superviseMysql2 } from '../../src/drivers/mysql2.js';
import { harden as hardenRedis, supervise as superviseRedis } from '../../src/drivers/redis.js';
import { HoldfastError, verdictOf } from '../../src/index.js';
import { until, useNatLab } from '../support/nat.js';
import { useMariadb } from '../support/servers/mariadb.js';
import { useRedis } from '../support/servers/redis.js';

/** Nothing but the gate can help. */
const GATE_ONLY = {
  keepalive: { idle: '1h' },
  heartbeat: false,
  probeAfterIdle: '1s',
  learn: false,
} as const;
const HEARTBEAT_ONLY = { keepalive: { idle: '1h' }, heartbeat: { interval: '1s' }, learn: false } as const;
/** A beat behind running work would look unanswered. */
const IMPATIENT = {
  keepalive: { idle: '1s', interval: '1s' },
  heartbeat: { interval: '1s', timeout: '1s' },
} as const;

describe('mysql2, ioredis and redis at a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const db = useMariadb(nat);
  const cache = useRedis(nat);

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    it(`takes the bare clients, and lets no request of a hardened one out into the dark (${expiry})`, async () => {
      await nat.lab.configure({ expiry });
      const bare = {
        mysql2: await mysql.createConnection(db.config),
        ioredis: new Redis(cache.port, cache.host),
        redis: createClient({ url: cache.url }),
      };
      const told = new Promise<unknown>(resolve => bare.ioredis.once('error', resolve));
      bare.mysql2.on('error', () => undefined);
      bare.redis.on('error', () => undefined);
      const own = hardenMysql2(await mysql.createConnection(db.config), GATE_ONLY);
      await Promise.all([bare.redis.connect(), bare.ioredis.ping(), bare.mysql2.ping()]);
      const table = await db.table();
      await nat.evicted();

      let settled = 0;
      const settle = (): void => {
        settled++;
      };
      const asked = {
        mysql2: bare.mysql2.query('SELECT 1'),
        ioredis: bare.ioredis.ping(),
        redis: bare.redis.ping(),
      };
      for (const answer of Object.values(asked)) answer.then(settle, settle);

      const insert = `INSERT INTO ${table} VALUES (1)`;
      expect(verdictOf(await failure(own.query(insert)))).to.include({
        cause: expiry === 'drop' ? 'path-timeout' : 'nat-eviction',
        delivery: 'never-sent',
      });
      const later = await failure(own.execute(insert));
      expect(later).to.have.property('message').that.contains('closed state');
      expect(verdictOf(later)).to.include({ delivery: 'never-sent' });
      expect(await db.admin(`SELECT * FROM ${table}`)).to.deep.equal([]);

      if (expiry === 'drop') expect(settled, 'bare clients that got an answer').to.equal(0);
      else {
        expect(await failure(asked.mysql2)).to.include({ code: 'ECONNRESET' });
        expect(await failure(asked.redis)).to.include({ code: 'ECONNRESET' });
        expect(await told).to.include({ code: 'ECONNRESET' });
        await asked.ioredis; // it reconnects and asks again
      }
      bare.mysql2.destroy();
      bare.ioredis.on('error', () => undefined).disconnect();
      bare.ioredis.stream.destroy();
      bare.redis.destroy();
      streamOf(bare.mysql2).destroy();
      await Promise.allSettled(Object.values(asked).slice(1));
    });

    it(`brings sessions back with their state, and runs what met a forgotten flow once (${expiry})`, async () => {
      await nat.lab.configure({ expiry });
      const table = await db.table();
      const key = `stock-${expiry}`;
      const sql = superviseMysql2({
        open: async () => {
          const connection = await mysql.createConnection(db.config);
          await connection.query('SET @tenant = 7');
          return connection;
        },
        ...GATE_ONLY,
      });
      const watching = superviseRedis({
        open: async () => {
          const socket = { reconnectStrategy: false } as const;
          const client = hardenRedis(createClient({ url: cache.url, socket }), GATE_ONLY);
          await client.connect();
          await client.watch(key);
          return client;
        },
      });
      const resumed = Promise.all(
        [sql, watching].map(one => new Promise(resolve => one.once('resumed', resolve))),
      );
      await Promise.all([sql.run(client => client.ping()), watching.run(client => client.ping())]);
      await nat.evicted();

      await Promise.all([
        sql.run(client => client.query(`INSERT INTO ${table} VALUES (@tenant)`)),
        watching.run(client => client.multi().incr(key).exec()),
      ]);
      await resumed;
      expect(await db.admin(`SELECT * FROM ${table}`)).to.deep.equal([{ n: 7 }]);
      expect(String(await cache.admin('GET', key))).to.equal('1');
      expect([sql.generation, watching.generation]).to.deep.equal([2, 2]);
      await Promise.all([sql.close(), watching.close()]);
    });
  }

  it('beats where it is subscribed, and neither behind running work nor where a server blocks', async () => {
    await nat.lab.configure({ expiry: 'reset-on-packet' });
    const heard: string[] = [];
    const connection = hardenMysql2(mysqlCallback.createConnection(db.config), IMPATIENT).promise();
    const blocked = hardenIoredis(new Redis(cache.port, cache.host), IMPATIENT);
    const blockedToo = hardenRedis(createClient({ url: cache.url }), IMPATIENT);
    const subscribed = hardenIoredis(new Redis(cache.port, cache.host), HEARTBEAT_ONLY);
    const oldProtocol = hardenIoredis(
      new Redis({ port: cache.port, host: cache.host, protocol: 2 }),
      HEARTBEAT_ONLY,
    );
    const subscribedToo = hardenRedis(createClient({ url: cache.url }), HEARTBEAT_ONLY);
    const lost: string[] = [];
    for (const client of [blocked, subscribed, oldProtocol])
      client.on('reconnecting', () => lost.push('ioredis'));
    for (const client of [blockedToo, subscribedToo]) client.on('reconnecting', () => lost.push('redis'));
    await Promise.all([blockedToo.connect(), subscribedToo.connect()]);
    for (const client of [subscribed, oldProtocol]) {
      client.on('message', (_channel, message) => heard.push(`ioredis ${message}`));
      await client.subscribe('news');
    }
    await subscribedToo.subscribe('news', message => heard.push(`redis ${message}`));

    const popped = Promise.all([blocked.blpop('jobs', 0), blockedToo.blPop('moreJobs', 0)]);
    await connection.query('SELECT SLEEP(3.5)');
    await cache.admin('RPUSH', 'jobs', 'one');
    await cache.admin('RPUSH', 'moreJobs', 'two');
    expect(await popped).to.deep.equal([['jobs', 'one'], { key: 'moreJobs', element: 'two' }]);
    await cache.admin('PUBLISH', 'news', 'good');
    await until('all have heard', () => heard.length === 3);
    expect(heard).to.have.members(['ioredis good', 'ioredis good', 'redis good']);
    expect(lost).to.deep.equal([]);

    for (const client of [blocked, subscribed, oldProtocol]) client.disconnect();
    for (const client of [blockedToo, subscribedToo]) client.destroy();
    await connection.end();
  });

  it('survives the end of idle clients that nobody listens to, and tells the next request why', async () => {
    const connection = hardenMysql2(mysqlCallback.createConnection(db.config));
    const pool = hardenMysql2(mysql.createPool({ ...db.config, connectionLimit: 1 }));
    const client = hardenRedis(createClient({ url: cache.url }));
    await Promise.all([client.connect(), connection.promise().ping()]);
    const pooled = await pool.getConnection();
    pooled.release();
    const ended = [connection, pooled].map(
      one => new Promise(resolve => streamOf(one).once('close', resolve)),
    );
    const reconnected = new Promise(resolve =>
      client.once('reconnecting', () => client.once('ready', resolve)),
    );
    await db.admin(`KILL ${connection.threadId}`);
    await db.admin(`KILL ${pooled.threadId}`);
    await cache.admin('CLIENT', 'KILL', 'ID', String(await client.clientId()));
    await Promise.all([...ended, reconnected]);

    expect(verdictOf(await failure(connection.promise().ping()))).to.include({ delivery: 'never-sent' });
    expect((await pool.query<mysql.RowDataPacket[]>('SELECT 1 AS one'))[0]).to.deep.equal([{ one: 1 }]);
    expect(await client.ping()).to.equal('PONG');
    client.destroy();
    await pool.end();
  });

  it('repeats no request that was sent', async () => {
    const pool = hardenMysql2(mysql.createPool({ ...db.config, connectionLimit: 1 }), GATE_ONLY);
    const client = hardenRedis(createClient({ url: cache.url }), GATE_ONLY);
    await client.connect();
    const id = String(await client.clientId());
    const asked = Promise.all([failure(pool.query('SELECT SLEEP(30)')), failure(client.blPop('nothing', 0))]);
    const running = "SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(30)'";
    let rows: mysql.RowDataPacket[] = [];
    await until('the query runs', async () => (rows = await db.admin(running)).length === 1);
    await until('it blocks', async () =>
      String(await cache.admin('INFO', 'clients')).includes('blocked_clients:1'),
    );
    await db.admin(`KILL ${String(rows[0]?.['id'])}`);
    await cache.admin('CLIENT', 'KILL', 'ID', id);
    for (const error of await asked) expect(error).to.be.an.instanceOf(Error);
    await until('it is connected again', () => client.isReady);
    client.destroy();
    await pool.end();
  });

  it('refuses what it can not harden', async () => {
    const client = createClient({ url: cache.url });
    await client.connect();
    const refusal = { code: 'ERR_HOLDFAST_ARGUMENT' };
    expect(thrown(() => hardenRedis(client)))
      .to.be.instanceOf(HoldfastError)
      .and.include(refusal);
    const wrong = {} as never;
    for (const harden of [() => hardenMysql2(wrong), () => hardenIoredis(wrong), () => hardenRedis(wrong)]) {
      expect(thrown(harden)).to.be.instanceOf(HoldfastError).and.include(refusal);
    }
    client.destroy();
  });
});

/** The drivers' types leave it out. */
function streamOf(client: object): Socket {
  const { connection, stream } = client as { connection?: { stream: Socket }; stream: Socket };
  return connection?.stream ?? stream;
}

function thrown(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return expect.fail('it was expected to throw');
}

function failure(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  );
}
