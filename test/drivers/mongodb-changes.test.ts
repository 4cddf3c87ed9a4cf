import { expect } from 'chai';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { Timestamp, type MongoClientOptions } from 'mongodb';
import { changes, harden, type ResumedFollowing } from '../../src/drivers/mongodb.js';
import type { NatLab } from '../../src/lab/index.js';
import { until, useNatLab } from '../support/nat.js';
import { useMongo } from '../support/servers/use-mongo.js';
import { startMongoWriter, type MongoWriter } from '../support/servers/mongo-writer.js';

interface Numbered {
  readonly _id: number;
}

/** Later than the NAT's 3 s, so that it does forget, and the server's answer finds no way. */
const LATE_KEEPALIVE = { keepalive: { idle: '4s', interval: '1s', count: 1 }, learn: false } as const;
/** The server stays silent for longer than any test lasts. */
const PATIENT = { maxAwaitTimeMS: 120_000 } as const;
/** From before the test: the server tells no position of its own before the first change. */
const watchFrom = (): { startAtOperationTime: Timestamp } => ({
  startAtOperationTime: new Timestamp({ t: Math.floor(Date.now() / 1000) - 1, i: 1 }),
});

describe('a change stream behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const mongo = useMongo(nat, { hasChangeStreams: true });
  let collections = 0;
  const writers: MongoWriter[] = [];

  afterEach(async () => {
    for (const writer of writers.splice(0)) await writer.stop();
  });

  const newClient = (options?: MongoClientOptions): MongoClient =>
    harden(mongo.newClient(options), LATE_KEEPALIVE);

  /** A collection of its own, and who writes to it from beyond the NAT. */
  function newCollection(): { name: string; writer: MongoWriter } {
    const name = `orders${++collections}`;
    const writer = startMongoWriter(nat.lab, mongo.port, name);
    writers.push(writer);
    return { name, writer };
  }

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    describe(`and then answers with ${expiry === 'drop' ? 'silence' : 'a reset'}`, () => {
      before(() => nat.lab.configure({ expiry }));

      it('gives every inserted document once, in order, over three evictions, and tells of nothing but lost and resumed', async function () {
        this.timeout(60_000);
        const { name, writer } = newCollection();
        const collection = newClient().db('lab').collection<Numbered>(name);
        const hooks: ResumedFollowing[] = [];
        const feed = changes(collection, {
          ...PATIENT,
          watch: watchFrom(),
          pipeline: [{ $match: { operationType: 'insert' } }],
          resume: resumed => void hooks.push(resumed),
        });
        const told: string[] = [];
        for (const event of ['lost', 'resumed', 'closed'] as const)
          feed.session.on(event, () => told.push(event));
        const causes: unknown[] = [];
        feed.session.on('lost', ({ verdict }) => causes.push(verdict?.cause));
        const seen: unknown[] = [];
        const end = (async () => {
          for await (const { fullDocument } of feed) seen.push(fullDocument?._id);
        })();
        await writer.insert(0);
        await until('the first document is seen', () => seen.length === 1);
        for (let round = 1; round <= 3; round++) {
          await nat.evicted();
          // In the last round nothing happens in the gap: that must not keep the next stream from counting as open.
          if (round === 3) await until('it is resumed', () => feed.session.generation === 4);
          await writer.insert(2 * round - 1, 2 * round);
          await until('those of the gap are seen', () => seen.length === 2 * round + 1);
        }
        await writer.insert(7); // behind it nothing given twice could still come
        await until('the last one is seen', () => seen.includes(7));
        expect(seen).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(told).to.deep.equal(['lost', 'resumed', 'lost', 'resumed', 'lost', 'resumed']);
        expect(causes).to.deep.equal(Array(3).fill(expiry === 'drop' ? 'path-timeout' : 'nat-eviction'));
        expect(hooks.map(({ generation }) => generation)).to.deep.equal([2, 3, 4]);
        expect(hooks.map(({ verdict }) => verdict?.cause)).to.deep.equal(causes);
        await feed.close();
        await end;
        expect(told.at(-1)).to.equal('closed');
      });

      it('is resumed by the driver alone once its sockets are hardened: two evictions, every document once', async function () {
        this.timeout(60_000);
        const { name, writer } = newCollection();
        const collection = newClient().db('lab').collection<Numbered>(name);
        const stream = collection.watch([], { ...PATIENT, ...watchFrom() });
        const seen: unknown[] = [];
        const end = (async () => {
          for await (const change of stream) {
            if (change.operationType === 'insert') seen.push(change.fullDocument._id);
          }
        })().catch(() => undefined); // the driver calls its own end an error
        await writer.insert(0);
        await until('the first document is seen', () => seen.length === 1);
        for (let round = 1; round <= 2; round++) {
          await nat.evicted();
          await writer.insert(round);
          await until('that of the gap is seen', () => seen.length === round + 1);
        }
        await writer.insert(3);
        await until('the last one is seen', () => seen.includes(3));
        expect(seen).to.deep.equal([0, 1, 2, 3]);
        await stream.close();
        await end;
      });
    });
  }

  it('outlives a server that is out of reach for 20 s, where the driver gives up', async function () {
    this.timeout(90_000);
    await nat.lab.configure({ expiry: 'drop' });
    const { name, writer } = newCollection();
    const impatient = { serverSelectionTimeoutMS: 5000, connectTimeoutMS: 5000 } as const;
    const feed = changes(newClient(impatient).db('lab').collection<Numbered>(name), {
      ...PATIENT,
      watch: watchFrom(),
    });
    const bare = newClient(impatient)
      .db('lab')
      .collection<Numbered>(name)
      .watch([], { ...PATIENT, ...watchFrom() });
    const told: string[] = [];
    for (const event of ['lost', 'resumed', 'closed'] as const)
      feed.session.on(event, () => told.push(event));
    const seen: unknown[] = [];
    const seenByBare: unknown[] = [];
    const end = (async () => {
      for await (const { fullDocument } of feed) seen.push(fullDocument?._id);
    })();
    const endOfBare = (async () => {
      for await (const change of bare) {
        if (change.operationType === 'insert') seenByBare.push(change.fullDocument._id);
      }
    })().catch((error: unknown) => error);
    await writer.insert(0);
    await until('both see the first', () => seen.length === 1 && seenByBare.length === 1);

    const outage = delay(20_000);
    await cutOff(nat.lab);
    await writer.insert(1);
    await outage;
    expect(await endOfBare)
      .to.have.property('name')
      .that.matches(/^Mongo(Network|ServerSelection)/);
    await writer.insert(2);
    await nft(nat.lab, 'delete table inet outage');
    await until('what was inserted meanwhile is seen', () => seen.length === 3);
    await writer.insert(3);
    await until('the last one is seen', () => seen.includes(3));
    expect(seen).to.deep.equal([0, 1, 2, 3]);
    expect(seenByBare).to.deep.equal([0]);
    expect(told).to.deep.equal(['lost', 'resumed']);
    await feed.close();
    await end;
  });
});

/** Lets nothing in or out of the server's side, until the table is deleted. */
async function cutOff(lab: NatLab): Promise<void> {
  await nft(lab, 'add table inet outage');
  for (const [hook, which] of [
    ['input', 'iif'],
    ['output', 'oif'],
  ] as const) {
    await nft(lab, `add chain inet outage ${hook} { type filter hook ${hook} priority 0; policy drop; }`);
    await nft(lab, `add rule inet outage ${hook} ${which} lo accept`);
  }
}

async function nft(lab: NatLab, command: string): Promise<void> {
  const [code] = (await once(lab.spawn('server', 'nft', [command]), 'close')) as [number];
  expect(code, command).to.equal(0);
}
