/*
 * An application with one hardened client, run by ../mongodb-rounds.test.ts. At each line on standard input it inserts, and
 * a line of JSON tells how that went. At the end of it the numbers in the database are told.
 */
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';
import { harden, type MongoOptions } from '../../../src/drivers/mongodb.js';

/** How the client stays usable. */
export type Arm = 'gate' | 'keepalive' | 'heartbeat';

/** A line of output for each round. */
export interface Round {
  readonly milliseconds: number;
  readonly errors: readonly string[];
}

/** The last line of output: the numbers in the database, in ascending order. */
export type Inserted = readonly number[];

const OPTIONS: Readonly<Record<Arm, MongoOptions>> = {
  // Nothing but the gate can help, and nothing is learned.
  gate: { keepalive: { idle: '1h' }, heartbeat: false, probeAfterIdle: '1s', learn: false },
  keepalive: { keepalive: { idle: '1s', interval: '1s' }, heartbeat: false, learn: false },
  heartbeat: { keepalive: { idle: '1h' }, heartbeat: { interval: '1s' }, learn: false },
};
const INSERTS = 2;

const url = process.env['LAB_URL'] ?? '';
const arm = process.env['LAB_ARM'] as Arm;
const client = harden(new MongoClient(url, { maxPoolSize: INSERTS, minPoolSize: INSERTS }), OPTIONS[arm]);
const collection = client.db('lab').collection(arm);
let next = 0;

async function insert(n: number): Promise<string | undefined> {
  try {
    await collection.insertOne({ n });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function round(): Promise<Round> {
  const startedAt = performance.now();
  const outcomes = await Promise.all(Array.from({ length: INSERTS }, () => insert(++next)));
  const errors = outcomes.filter(error => error !== undefined);
  return { milliseconds: Math.round(performance.now() - startedAt), errors };
}

async function inserted(): Promise<Inserted> {
  const fresh = new MongoClient(url);
  const documents = await fresh.db('lab').collection<{ n: number }>(arm).find().sort({ n: 1 }).toArray();
  await fresh.close();
  return documents.map(({ n }) => n);
}

const tell = (line: Round | Inserted): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

for await (const _line of createInterface(process.stdin)) tell(await round());
tell(await inserted());
await client.close();
