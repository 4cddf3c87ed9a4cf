import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { skipForMissing } from './missing.js';
import type { MongoServer } from './mongo.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';

const PORT = 27018;
const MAIN = 'MongoWithOplog';

/** For `before(requireChangeStreams)`: skips the suite where there is no server with change streams. */
export function requireChangeStreams(this: Mocha.Context): void {
  if (findMongoJava() === undefined) {
    skipForMissing(
      this,
      'no server with change streams: java is not on PATH, or HOLDFAST_TEST_MONGO_JAVA does not name the folder of mongo-java-server',
    );
  }
}

function findMongoJava(): { readonly java: string; readonly folder: string } | undefined {
  const folder = process.env['HOLDFAST_TEST_MONGO_JAVA'];
  const java = findProgram('java');
  if (java === undefined || folder === undefined || !existsSync(join(folder, `${MAIN}.class`)))
    return undefined;
  return { java, folder };
}

/** Starts mongo-java-server, in memory, with its oplog on. It has change streams, which FerretDB has not. */
export async function startMongoJava(side: ServerSide): Promise<MongoServer> {
  const found = findMongoJava();
  if (found === undefined) throw new Error('no mongo-java-server here');
  return inOwnFolder('mongo-java', async folder => {
    const classes = ['-cp', `${found.folder}:${found.folder}/*`, MAIN, String(PORT)];
    const command = [found.java, '-Xmx128m', '-XX:TieredStopAtLevel=1', ...classes];
    const child = startServer(side, { folder, endSignal: 'KILL', command });
    await whenSaid(child, 'listening', 'mongo-java-server');
    return { port: PORT, stop: () => endServer(child) };
  });
}
