import { expect } from 'chai';
import type { MongoClient } from 'mongodb';
import { type CommandStartedEvent } from 'mongodb';
import { setTimeout as delay } from 'node:timers/promises';
import { harden, tail, type MongoOptions } from '../../src/drivers/mongodb.js';
import { until, useNatLab } from '../support/nat.js';
import { useMongo } from '../support/servers/use-mongo.js';

/** No keepalive within a test's life, and nothing learned from an eviction. */
const HEARTBEAT_ONLY = { keepalive: { idle: '1h' }, heartbeat: { interval: '1s' }, learn: false } as const;
const SILENCE_MS = 8000;

/** What a client does on each of its pooled connections. */
class Diary {
  readonly pings = new Map<unknown, number>();
  readonly closed: unknown[] = [];
  /** Requests of waiting cursors that have begun. */
  getMores = 0;
  /** Beats that began while something else, or another beat, ran on their connection. */
  readonly collisions: string[] = [];
  readonly #running = new Map<unknown, string>();
  readonly #ids = new Set<unknown>();

  constructor(client: MongoClient) {
    client.on('connectionReady', ({ connectionId }) => this.#ids.add(connectionId));
    client.on('connectionClosed', ({ connectionId }) => {
      this.#ids.delete(connectionId);
      this.closed.push(connectionId);
    });
    client.on('commandStarted', event => this.#started(event));
    client.on('commandSucceeded', event => this.#running.delete(event.connectionId));
    client.on('commandFailed', event => this.#running.delete(event.connectionId));
  }

  /** Of the connections that are there. */
  get ids(): readonly unknown[] {
    return [...this.#ids];
  }

  /** What runs now, whichever the connection. */
  get running(): readonly string[] {
    return [...this.#running.values()];
  }

  #started({ address, connectionId, commandName }: CommandStartedEvent): void {
    const running = this.#running.get(connectionId);
    if (running !== undefined) this.collisions.push(`${commandName} behind ${running} at ${address}`);
    this.#running.set(connectionId, commandName);
    if (commandName === 'getMore') this.getMores += 1;
    if (commandName === 'ping') this.pings.set(connectionId, (this.pings.get(connectionId) ?? 0) + 1);
  }
}

describe('the heartbeat of mongodb pools behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const mongo = useMongo(nat);

  /** A pool of three connections, and a monitor that falls silent. */
  async function newPool(
    options: MongoOptions = HEARTBEAT_ONLY,
  ): Promise<{ client: MongoClient; diary: Diary }> {
    const client = mongo.newClient({ monitorCommands: true, minPoolSize: 3, maxPoolSize: 3 });
    const diary = new Diary(client);
    harden(client, options);
    await client.connect();
    await until('the pool has its connections', () => diary.ids.length === 3);
    return { client, diary };
  }

  async function flows(): Promise<readonly string[]> {
    const all = await nat.lab.flows();
    return all.filter(({ state }) => state === 'ESTABLISHED').map(({ client }) => client);
  }

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    it(`keeps three idle connections awake over 8 s of silence without keepalive (${expiry})`, async () => {
      await nat.lab.configure({ expiry });
      const { client, diary } = await newPool();
      const before = await flows();
      const ids = diary.ids;
      await delay(SILENCE_MS); // the silence itself
      const after = await flows();
      expect(after, 'flows that are kept awake').to.have.length(3);
      expect(before).to.include.members(after);
      expect(diary.closed).to.deep.equal([]);
      expect([...diary.pings.keys()], 'connections that were beaten').to.have.members(ids);
      const numbers = client.db('lab').collection(`numbers_${expiry}`);
      await Promise.all([1, 2, 3].map(n => numbers.insertOne({ n })));
      expect(diary.ids).to.deep.equal(ids);
      expect(diary.collisions).to.deep.equal([]);
    });
  }

  it('reaches those at the bottom of a pool whose top is in use all the time', async () => {
    const { client, diary } = await newPool();
    const before = await flows();
    const numbers = client.db('lab').collection('busy');
    const end = performance.now() + SILENCE_MS;
    while (performance.now() < end) {
      await numbers.insertOne({});
      await delay(50); // the pool's work, not a wait
    }
    const after = await flows();
    expect(after, 'flows that are kept awake').to.have.length(3);
    expect(before).to.include.members(after);
    expect(diary.closed).to.deep.equal([]);
    expect(diary.collisions).to.deep.equal([]);
  });

  it('never pings a connection that runs a command, and pings the others meanwhile', async () => {
    const { client, diary } = await newPool();
    const db = client.db('lab');
    await db.createCollection('log', { capped: true, size: 100_000 });
    await db.collection<{ _id: number }>('log').insertOne({ _id: 1 });
    const log = tail(db.collection<{ _id: number }>('log'), { batchSize: 1, maxAwaitTimeMS: 60_000 });
    const reading = log[Symbol.asyncIterator]();
    await reading.next();
    void reading.next();
    await until('a request waits at the server', () => diary.running.includes('getMore'));
    diary.pings.clear();
    await until('two connections are beaten four times', () => {
      const counts = [...diary.pings.values()];
      return counts.length === 2 && counts.every(count => count >= 4);
    });
    expect(diary.running).to.include('getMore');
    expect(diary.collisions).to.deep.equal([]);
    await log.close();
  });

  it('finds the connections that died all the same, and the driver replaces them', async () => {
    await nat.lab.configure({ expiry: 'drop' });
    // Later than the NAT's 3 s.
    const { client, diary } = await newPool({ ...HEARTBEAT_ONLY, heartbeat: { interval: '4s' } });
    const ids = diary.ids;
    await nat.evicted();
    await until('each is closed', () => ids.every(id => diary.closed.includes(id)));
    await until('there are others', () => diary.ids.length === 3);
    const numbers = client.db('lab').collection('replaced');
    await Promise.all([1, 2, 3].map(n => numbers.insertOne({ n })));
    expect(await numbers.countDocuments()).to.equal(3);
  });

  it('keeps a waiting cursor awake by its own requests, where it has a heartbeat', async () => {
    await nat.lab.configure({ expiry: 'drop' });
    const { client, diary } = await newPool();
    const db = client.db('lab');
    await db.createCollection('waiting', { capped: true, size: 100_000 });
    const source = db.collection<{ _id: number }>('waiting');
    await source.insertOne({ _id: 1 });
    const entries = tail(source, { batchSize: 1, heartbeat: { interval: '1s' } });
    const reading = entries[Symbol.asyncIterator]();
    expect((await reading.next()).value).to.deep.equal({ _id: 1 });
    const next = reading.next();
    const before = await flows();
    await delay(SILENCE_MS); // the silence itself
    const after = await flows();
    expect(after, 'flows that are kept awake').to.have.length(3);
    expect(before).to.include.members(after);
    expect(diary.closed).to.deep.equal([]);
    // FerretDB leaves out what comes in the last moments of a request's wait.
    const sofar = diary.getMores;
    await until('a request has just begun', () => diary.getMores > sofar);
    await source.insertOne({ _id: 2 });
    expect((await next).value).to.deep.equal({ _id: 2 });
    expect(entries.session.generation).to.equal(1);
    expect(diary.collisions).to.deep.equal([]);
    await entries.close();
  });
});
