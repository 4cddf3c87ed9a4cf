import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { skipForMissing } from './missing.js';
import { inOwnFolder, isMapped, programFolders, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';

const DEBIAN = '/usr/lib/postgresql';
const USER = 'holdfast';
const PORT = 5432;

/** A PostgreSQL server of the running suite. */
export interface PostgresServer {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** The self-made authority's certificate that signed the server's, for `ssl: { ca }`. */
  readonly ca: string;
  /** Everything the server has logged, every statement it was asked to run among it. */
  log(): string;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requirePostgres)`: skips the suite where there is no PostgreSQL server; see {@link skipForMissing}. */
export function requirePostgres(this: Mocha.Context): void {
  if (findPostgres() === undefined) {
    skipForMissing(this, `no PostgreSQL server: neither initdb on PATH nor ${DEBIAN}/*/bin`);
  }
}

/** The folder with initdb and postgres: the newest of Debian's, else what PATH has. */
function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map(version => join(DEBIAN, version, 'bin')), ...programFolders()];
  return folders.find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/**
 * Starts PostgreSQL on the server side, with TLS on, data of its own, and every statement logged. Everybody who can
 * reach it may log in: it belongs in a lab.
 */
export async function startPostgres(side: ServerSide): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('no PostgreSQL server here');
  return inOwnFolder('postgres', folder => startIn(folder, bin, side));
}

async function startIn(folder: string, bin: string, side: ServerSide): Promise<PostgresServer> {
  const account = findAccount();
  if (account.owner !== undefined) await chown(folder, account.owner.uid, account.owner.gid);
  const data = join(folder, 'data');
  const initdb = [join(bin, 'initdb'), '-D', data, '-U', USER, '-A', 'trust', '-N', '--no-instructions'];
  await runIn(folder, [...account.command, ...initdb, '--locale=C', '-E', 'UTF8']);
  const ca = await makeCertificate(folder, data, account);
  await appendFile(join(data, 'postgresql.conf'), settings(folder));
  await writeFile(join(data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 trust\nhost all all ::/0 trust\n');
  const child = startServer(side, {
    folder,
    endSignal: 'QUIT',
    command: [...account.command, join(bin, 'postgres'), '-D', data],
  });
  const log = await whenSaid(child, 'ready to accept connections', 'PostgreSQL');
  return { port: PORT, user: USER, database: 'postgres', ca, log, stop: () => endServer(child) };
}

function settings(folder: string): string {
  return `
listen_addresses = '*'
port = ${PORT}
unix_socket_directories = '${folder}'
ssl = on
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 40
shared_buffers = '16MB'
autovacuum = off
log_statement = 'all'
log_connections = on
log_min_messages = warning
log_line_prefix = '%p '
`;
}

async function runIn(folder: string, [program = '', ...args]: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args, { cwd: folder });
}

interface Account {
  /** Goes in front of a command so that it does not run as root, which PostgreSQL refuses. */
  readonly command: readonly string[];
  /** Who the data must belong to; undefined: whoever makes it. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

function findAccount(): Account {
  if (process.getuid?.() !== 0) return { command: [], owner: undefined };
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith('postgres:'));
  const [uid, gid] = (entry ?? 'nobody:x:65534:65534').split(':').slice(2).map(Number);
  if (uid === undefined || gid === undefined || !isMapped(uid)) {
    // Root of a user namespace that has no other user: a namespace further in is where it is somebody else.
    return {
      command: ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'],
      owner: undefined,
    };
  }
  const command = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  return { command, owner: { uid, gid } };
}

/** Makes an authority and a certificate for localhost and the lab's server address. Returns the authority's. */
async function makeCertificate(folder: string, data: string, account: Account): Promise<string> {
  const inFolder = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<void> => runIn(folder, ['openssl', ...args]);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...curve,
    '-days',
    '2',
    '-subj',
    '/CN=holdfast test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  await openssl('req', ...curve, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(inFolder('names'), 'subjectAltName = DNS:localhost, IP:127.0.0.1, IP:10.77.2.2\n');
  await openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    'server.crt',
  );
  for (const name of ['server.crt', 'server.key']) {
    await writeFile(join(data, name), await readFile(inFolder(name)), { mode: 0o600 });
    if (account.owner !== undefined) await chown(join(data, name), account.owner.uid, account.owner.gid);
  }
  return readFile(inFolder('ca.crt'), 'utf8');
}
