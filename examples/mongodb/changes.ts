/** A change stream that misses nothing when the NAT has forgotten its connection. */
import { MongoClient } from 'mongodb';
import { changes, harden } from 'holdfast/mongodb';
import { startMongoJava } from '../../test/support/servers/mongo-java.js';
import { findLab } from '../find-lab.js';

interface Order {
  readonly _id: number;
}

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startMongoJava(lab);
const uri = `mongodb://${lab.serverAddress}:${server.port}/?directConnection=true`;

async function insert(...ids: readonly number[]): Promise<void> {
  const client = new MongoClient(uri);
  for (const _id of ids) await client.db('lab').collection<Order>('orders').insertOne({ _id });
  await client.close();
}

// Later than the NAT's 3 s, so that it does forget. With the defaults it would not come to that.
const client = harden(new MongoClient(uri), { keepalive: { idle: '4s', interval: '1s', count: 1 } });
const feed = changes(client.db('lab').collection<Order>('orders'), {
  pipeline: [{ $match: { operationType: 'insert' } }],
  maxAwaitTimeMS: 60_000,
  resume: ({ generation, verdict }) =>
    console.log(`resumed: change stream ${generation} after ${verdict?.cause ?? 'unknown'}`),
});
feed.session.once('attempted', () => void insert(1));

/** Between the NAT's 3 s and the keepalive's 4 s: the stream's connection is gone, and nobody knows. */
const IN_THE_GAP_MS = 3500;

for await (const { fullDocument } of feed) {
  console.log(`order ${fullDocument?._id}`);
  if (fullDocument?._id === 1) {
    console.log('silence ...');
    setTimeout(() => void insert(2, 3), IN_THE_GAP_MS);
  }
  if (fullDocument?._id === 3) break; // ends the change stream
}

await client.close();
await server.stop();
await lab.close();
