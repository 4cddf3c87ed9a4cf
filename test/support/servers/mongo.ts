import { existsSync } from 'node:fs';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';

const PORT = 27017;

/** A FerretDB of the running suite: what MongoDB's drivers speak to, on SQLite. */
export interface MongoServer {
  readonly port: number;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireMongo)`: skips the suite where there is no FerretDB; see {@link skipForMissing}. */
export function requireMongo(this: Mocha.Context): void {
  if (findMongo() === undefined) {
    skipForMissing(
      this,
      'no MongoDB server: ferretdb is neither on PATH nor named by HOLDFAST_TEST_FERRETDB',
    );
  }
}

function findMongo(): string | undefined {
  const named = process.env['HOLDFAST_TEST_FERRETDB'];
  return named !== undefined && existsSync(named) ? named : findProgram('ferretdb');
}

/** Starts FerretDB on the server side. Everybody who can reach it may use it. */
export async function startMongo(side: ServerSide): Promise<MongoServer> {
  const program = findMongo();
  if (program === undefined) throw new Error('no FerretDB here');
  return inOwnFolder('mongo', async folder => {
    const store = ['--handler=sqlite', `--sqlite-url=file:${folder}/`, `--state-dir=${folder}`];
    const rest = [`--listen-addr=0.0.0.0:${PORT}`, '--debug-addr=-', '--telemetry=disable'];
    const child = startServer(side, { folder, endSignal: 'QUIT', command: [program, ...store, ...rest] });
    await whenSaid(child, 'Listening on TCP', 'FerretDB');
    return { port: PORT, stop: () => endServer(child) };
  });
}
