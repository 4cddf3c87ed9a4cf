/*
 * Inserts documents from the server's own side, where there is no NAT. Run as a program it takes a line of JSON on
 * standard input for each batch of ids, and says `done`.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import type { ServerSide } from './server-script.js';

interface Numbered {
  readonly _id: number;
}

export interface MongoWriter {
  /** Inserts documents with these ids, one after the other, and resolves when the server has them. */
  insert(...ids: readonly number[]): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** A client on the server's side that inserts into a collection of the database `lab`. */
export function startMongoWriter(side: ServerSide, port: number, collection: string): MongoWriter {
  const child = side.spawn(
    'server',
    process.execPath,
    [fileURLToPath(import.meta.url), String(port), collection],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('a writer needs its pipes');
  const closed = once(child, 'close');
  const lines = createInterface(stdout);
  return {
    async insert(...ids) {
      const done = Promise.race([
        once(lines, 'line'),
        closed.then(() => Promise.reject(new Error('the writer has ended'))),
      ]);
      stdin.write(`${JSON.stringify(ids)}\n`);
      await done;
    },
    async stop() {
      stdin.end();
      await closed;
    },
  };
}

async function main(port: string, name: string): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  const collection = client.db('lab').collection<Numbered>(name);
  for await (const line of createInterface(process.stdin)) {
    for (const _id of JSON.parse(line) as number[]) await collection.insertOne({ _id });
    process.stdout.write('done\n');
  }
  await client.close();
}

const [, program, port, name] = process.argv;
if (program === fileURLToPath(import.meta.url) && port !== undefined && name !== undefined) {
  await main(port, name);
}
