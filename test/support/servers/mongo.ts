import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { skipForMissing } from './missing.js';
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
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = [
    process.env['HOLDFAST_TEST_FERRETDB'] ?? '',
    ...folders.map(folder => join(folder, 'ferretdb')),
  ];
  return paths.find(path => path !== '' && existsSync(path));
}

/** Starts FerretDB on the server side. Everybody who can reach it may use it. */
export async function startMongo(side: ServerSide): Promise<MongoServer> {
  const program = findMongo();
  if (program === undefined) throw new Error('no FerretDB here');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mongo-'));
  try {
    await chmod(folder, 0o755);
    const store = ['--handler=sqlite', `--sqlite-url=file:${folder}/`, `--state-dir=${folder}`];
    const rest = [`--listen-addr=0.0.0.0:${PORT}`, '--debug-addr=-', '--telemetry=disable'];
    const child = startServer(side, { folder, endSignal: 'QUIT', command: [program, ...store, ...rest] });
    await ready(child);
    return { port: PORT, stop: () => endServer(child) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Resolves once the server says it takes connections. */
function ready(child: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error(`FerretDB did not start:\n${log}`));
    const collect = (chunk: Buffer): void => {
      log += chunk.toString();
      if (!log.includes('Listening on TCP')) return;
      child.off('error', reject).off('close', onClose);
      resolve();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', reject).once('close', onClose);
  });
}
