import { expect } from 'chai';
import { harden, tail } from '../../src/drivers/mongodb.js';
import { retryNeverSent } from '../../src/index.js';
import { until, useNatLab } from '../support/nat.js';
import { useMongo } from '../support/servers/use-mongo.js';

interface Entry {
  readonly _id: number;
}

/** Nothing but the gate can help, and nothing is learned. */
const GATE_ONLY = { keepalive: { idle: '1h' }, probeAfterIdle: '1s', learn: false } as const;

describe('mongodb behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const mongo = useMongo(nat);

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    describe(`and then answers with ${expiry === 'drop' ? 'silence' : 'a reset'}`, () => {
      before(() => nat.lab.configure({ expiry }));

      it('costs inserts nothing where what was never sent is repeated: three rounds, each document once', async () => {
        const client = harden(mongo.newClient({ maxPoolSize: 2 }), GATE_ONLY);
        const collection = client.db('lab').collection(`inserts_${expiry}`);
        const insert = (n: number): Promise<unknown> =>
          retryNeverSent(() => collection.insertOne({ n }), { retries: 3 });
        let n = 0;
        for (let round = 1; round <= 3; round++) {
          await Promise.all([insert(n++), insert(n++)]);
          if (round < 3) await nat.evicted();
        }
        const found = await collection.find().sort({ n: 1 }).toArray();
        expect(found.map(document => document['n'] as number)).to.deep.equal([0, 1, 2, 3, 4, 5]);
      });

      it('gives a tail each document once, those inserted in the gap too', async () => {
        const keepalive = { idle: '4s', interval: '1s', count: 1 } as const;
        const reader = harden(mongo.newClient(), { keepalive, learn: false });
        const writer = mongo.newClient();
        const name = `log_${expiry}`;
        await writer.db('lab').createCollection(name, { capped: true, size: 100_000 });
        const log = writer.db('lab').collection<Entry>(name);
        await log.insertOne({ _id: 0 });
        const source = reader.db('lab').collection<Entry>(name);
        // The server stays silent for longer than the NAT remembers.
        const documents = tail(source, { batchSize: 1, maxAwaitTimeMS: 60_000 });
        const seen: number[] = [];
        const end = (async () => {
          for await (const { _id } of documents) seen.push(_id);
        })();
        await until('the first one is seen', () => seen.length === 1);
        await nat.evicted();
        const fresh = mongo.newClient();
        const again = fresh.db('lab').collection<Entry>(name);
        await again.insertOne({ _id: 1 });
        await again.insertOne({ _id: 2 });
        await until('those of the gap are seen', () => seen.length === 3);
        await again.insertOne({ _id: 3 });
        await until('the last one is seen', () => seen.length === 4);
        expect(seen).to.deep.equal([0, 1, 2, 3]);
        expect(documents.session.generation).to.equal(2);
        await documents.close();
        await end;
      });
    });
  }
});
