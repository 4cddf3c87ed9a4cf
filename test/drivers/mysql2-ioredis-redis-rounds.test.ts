import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import mysqlCallback from 'mysql2';
import mysql from 'mysql2/promise';
import { createClient } from 'redis';
import { harden as hardenIoredis } from '../../src/drivers/ioredis.js';
import { harden as hardenMysql2 } from '../../src/drivers/mysql2.js';
import { harden as hardenRedis } from '../../src/drivers/redis.js';
import { until, useNatLab } from '../support/nat.js';
import { useMariadb } from '../support/servers/mariadb.js';
import { useRedis } from '../support/servers/redis.js';

/** Nothing but the gate can help: no keepalive and no heartbeat within a test's life, and no lesson from an eviction. */
const GATE_ONLY = {
  keepalive: { idle: '1h' },
  heartbeat: false,
  probeAfterIdle: '1s',
  learn: false,
} as const;
const KEEPALIVE_ONLY = { keepalive: { idle: '1s', interval: '1s' }, heartbeat: false } as const;
const HEARTBEAT_ONLY = { keepalive: { idle: '1h' }, heartbeat: { interval: '1s' } } as const;
const ROUNDS = process.env['HOLDFAST_TEST_SLOW'] === '1' ? 20 : 5;

/** One user of a driver. */
interface Actor {
  readonly name: string;
  /** Flows of it that are kept awake. */
  readonly kept: number;
  /** Writes this many values, each of them once. */
  work(): Promise<number>;
  /** How many are there. */
  written(): Promise<number>;
  close(): unknown;
}

/** The three drivers idle through the same silences, each with the gate, with keepalive and with heartbeats alone. */
describe('mysql2, ioredis and redis behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const db = useMariadb(nat);
  const cache = useRedis(nat);
  const shards = useRedis(nat, { port: 6380, isCluster: true });
  let keys = 0;

  async function established(): Promise<number> {
    const flows = await nat.lab.flows();
    // A Cluster has a connection of its own for subscriptions, which nobody keeps awake.
    return flows.filter(({ state, server }) => state === 'ESTABLISHED' && !server.endsWith(':6380')).length;
  }

  async function count(table: string): Promise<number> {
    const rows = await db.admin(`SELECT COUNT(*) AS n, COUNT(DISTINCT n) AS distinct_n FROM ${table}`);
    expect(rows[0]?.['distinct_n']).to.equal(rows[0]?.['n']);
    return Number(rows[0]?.['n']);
  }

  async function pools(): Promise<Actor> {
    const table = await db.table();
    const callbacks = hardenMysql2(mysqlCallback.createPool({ ...db.config, connectionLimit: 3 }), GATE_ONLY);
    const promises = hardenMysql2(mysql.createPool({ ...db.config, connectionLimit: 2 }), GATE_ONLY);
    const insert = `INSERT INTO ${table} VALUES (?)`;
    let n = 0;
    const byCallback = (method: 'query' | 'execute'): Promise<void> =>
      new Promise((resolve, reject) => {
        const done = (error: Error | null): void => (error ? reject(error) : resolve());
        if (method === 'query') callbacks.query(insert, [++n], done);
        else callbacks.execute(insert, [++n], done);
      });
    const inTransaction = async (): Promise<void> => {
      const connection = await promises.getConnection();
      await connection.beginTransaction();
      await connection.query(insert, [++n]);
      await connection.execute(insert, [++n]);
      await connection.commit();
      connection.release();
    };
    return {
      name: 'mysql2 pools',
      kept: 0,
      async work() {
        await Promise.all([
          byCallback('query'),
          byCallback('query'),
          byCallback('execute'),
          promises.query(insert, [++n]),
          promises.execute(insert, [++n]),
          inTransaction(),
        ]);
        return 7;
      },
      written: () => count(table),
      close: () => Promise.all([new Promise(resolve => callbacks.end(resolve)), promises.end()]),
    };
  }

  /** A pool hands out the connection used last: this shows whether the others are kept awake too. */
  async function beatenPool(): Promise<Actor> {
    const table = await db.table();
    const options = { ...db.config, connectionLimit: 3, maxIdle: 3 };
    const pool = hardenMysql2(mysql.createPool(options), HEARTBEAT_ONLY);
    let n = 0;
    let ids: number[] = [];
    return {
      name: 'mysql2 pool with heartbeats',
      kept: 3,
      async work() {
        const connections = await Promise.all([1, 2, 3].map(() => pool.getConnection()));
        for (const connection of connections)
          await connection.query(`INSERT INTO ${table} VALUES (?)`, [++n]);
        const now = connections.map(({ threadId }) => threadId);
        if (ids.length > 0) expect(now).to.have.members(ids);
        ids = now;
        connections.forEach(connection => connection.release());
        return 3;
      },
      written: () => count(table),
      close: () => pool.end(),
    };
  }

  async function connection(options: typeof KEEPALIVE_ONLY | typeof HEARTBEAT_ONLY): Promise<Actor> {
    const table = await db.table();
    const own = hardenMysql2(await mysql.createConnection(db.config), options);
    let n = 0;
    return {
      name: 'mysql2 connection',
      kept: 1,
      async work() {
        await own.execute(`INSERT INTO ${table} VALUES (?)`, [++n]);
        return 1;
      },
      written: () => count(table),
      close: () => own.end(),
    };
  }

  async function counter(redis: Redis | Cluster, name: string, kept: number, key: string): Promise<Actor> {
    await until('it is connected', () => redis.status === 'ready');
    return {
      name,
      kept,
      async work() {
        await Promise.all([redis.incr(key), redis.incr(key), redis.rpush(`{${key}}list`, 'x')]);
        return 3;
      },
      async written() {
        return Number(await redis.get(key)) + (await redis.llen(`{${key}}list`));
      },
      close: () => redis.disconnect(),
    };
  }

  /** Connections lost that were to be kept awake. */
  let lost: string[];
  beforeEach(() => void (lost = []));

  function mustStay(redis: Redis): Redis {
    const mine = lost;
    redis.on('reconnecting', () => mine.push('ioredis reconnected'));
    return redis;
  }

  async function nodeRedis(options: object, kept: 0 | 1): Promise<Actor> {
    const key = `redis${++keys}`;
    const client = hardenRedis(createClient({ url: cache.url }), options);
    const mine = lost;
    if (kept === 1) client.on('reconnecting', () => mine.push('redis reconnected'));
    await client.connect();
    return {
      name: 'redis',
      kept,
      async work() {
        await Promise.all([
          client.incr(key),
          client.sendCommand(['INCR', key]),
          client.multi().incr(key).rPush(`${key}list`, 'x').exec(),
        ]);
        return 4;
      },
      written: async () => Number(await client.get(key)) + (await client.lLen(`${key}list`)),
      close: () => client.destroy(),
    };
  }

  async function actors(): Promise<Actor[]> {
    const own = (options: typeof GATE_ONLY | typeof KEEPALIVE_ONLY | typeof HEARTBEAT_ONLY): Redis => {
      const redis = hardenIoredis(new Redis(cache.port, cache.host), options);
      redis.on('error', () => undefined); // the driver would print it
      return redis;
    };
    const cluster = hardenIoredis(
      new Cluster([{ host: shards.host, port: shards.port }], { slotsRefreshTimeout: 5000 }),
      HEARTBEAT_ONLY,
    );
    const mine = lost; // it loses its nodes when it is closed, too
    cluster.on('-node', () => mine.push('the cluster lost its node'));
    return Promise.all([
      pools(),
      beatenPool(),
      connection(KEEPALIVE_ONLY),
      connection(HEARTBEAT_ONLY),
      counter(own(GATE_ONLY), 'ioredis', 0, `ioredis${++keys}`),
      counter(mustStay(own(KEEPALIVE_ONLY)), 'ioredis with keepalive', 1, `ioredis${++keys}`),
      counter(mustStay(own(HEARTBEAT_ONLY)), 'ioredis with heartbeats', 1, `ioredis${++keys}`),
      counter(cluster, 'ioredis cluster with heartbeats', 0, `cluster${++keys}`),
      nodeRedis(GATE_ONLY, 0),
      nodeRedis(KEEPALIVE_ONLY, 1),
      nodeRedis(HEARTBEAT_ONLY, 1),
    ]);
  }

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    it(`costs the users of hardened clients nothing: ${ROUNDS} rounds of silence, each write once (${expiry})`, async function () {
      this.timeout(20_000 + ROUNDS * 10_000);
      await nat.lab.configure({ expiry });
      const all = await actors();
      const kept = all.reduce((sum, actor) => sum + actor.kept, 0);
      const expected = new Map<Actor, number>(all.map(actor => [actor, 0]));
      const work = async (): Promise<void> => {
        const done = await Promise.all(all.map(actor => actor.work()));
        all.forEach((actor, index) => expected.set(actor, (expected.get(actor) ?? 0) + (done[index] ?? 0)));
      };
      try {
        await work();
        for (let round = 1; round <= ROUNDS; round++) {
          await until(`the NAT forgets all but ${kept} flows`, async () => (await established()) <= kept);
          expect(await established(), 'flows that are kept awake').to.equal(kept);
          await work();
        }
        for (const actor of all) expect(await actor.written(), actor.name).to.equal(expected.get(actor));
        expect(lost).to.deep.equal([]);
      } finally {
        await Promise.all(all.map(actor => actor.close()));
      }
    });
  }
});
