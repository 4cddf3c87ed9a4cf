/** A tail of a capped collection that misses nothing when the NAT has forgotten its connection. */
import { MongoClient } from 'mongodb';
import { harden, tail } from 'holdfast/mongodb';
import { startMongo } from '../../test/support/servers/mongo.js';
import { findLab } from '../find-lab.js';

interface Entry {
  readonly _id: number;
}

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startMongo(lab);
const uri = `mongodb://${lab.serverAddress}:${server.port}/?directConnection=true`;

async function insert(...ids: readonly number[]): Promise<void> {
  const client = new MongoClient(uri);
  for (const _id of ids) await client.db('lab').collection<Entry>('log').insertOne({ _id });
  await client.close();
}

const admin = new MongoClient(uri);
await admin.db('lab').createCollection('log', { capped: true, size: 100_000 });
await admin.close();
await insert(1);

// Later than the NAT's 3 s, so that it does forget. With the defaults it would not come to that.
const client = harden(new MongoClient(uri), { keepalive: { idle: '4s', interval: '1s', count: 1 } });
const log = client.db('lab').collection<Entry>('log');
const entries = tail(log, { batchSize: 1, maxAwaitTimeMS: 60_000 });
entries.session.on('resumed', ({ generation, verdict }) => {
  console.log(`resumed: cursor ${generation} after ${verdict?.cause ?? 'unknown'}`);
});

/** Between the NAT's 3 s and the keepalive's 4 s: the cursor's connection is gone, and nobody knows. */
const IN_THE_GAP_MS = 3500;

for await (const { _id } of entries) {
  console.log(`entry ${_id}`);
  if (_id === 1) {
    console.log('silence ...');
    setTimeout(() => void insert(2, 3), IN_THE_GAP_MS);
  }
  if (_id === 3) break; // ends the cursor
}

await client.close();
await server.stop();
await lab.close();
