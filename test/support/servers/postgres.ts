import { execFile, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { skipForMissing } from './missing.js';
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
  const folders = [
    ...versions.map(version => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return folders.find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/**
 * Starts PostgreSQL on the server side, with TLS on, data of its own, and every statement logged. Everybody who can
 * reach it may log in: it belongs in a lab.
 */
export async function startPostgres(side: ServerSide): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('no PostgreSQL server here');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  try {
    return await startIn(folder, bin, side);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(folder: string, bin: string, side: ServerSide): Promise<PostgresServer> {
  const account = findAccount();
  await chmod(folder, 0o755);
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
  let log = '';
  const collect = (chunk: Buffer): void => void (log += chunk.toString());
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  await ready(child, () => log);
  return { port: PORT, user: USER, database: 'postgres', ca, log: () => log, stop: () => endServer(child) };
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

/** Whether this namespace has the user: one made by `unshare --map-root-user` has root alone. */
function isMapped(uid: number): boolean {
  const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
  return ranges.some(range => {
    const [first, , count] = range.trim().split(/\s+/).map(Number);
    return first !== undefined && count !== undefined && uid >= first && uid < first + count;
  });
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

/** Resolves once the server says it takes connections. */
function ready(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      child.removeListener('error', reject).removeListener('close', onClose);
      child.stderr?.removeListener('data', look);
    };
    const look = (): void => {
      if (!log().includes('ready to accept connections')) return;
      stop();
      resolve();
    };
    const onClose = (): void => reject(new Error(`PostgreSQL did not start:\n${log()}`));
    child.stderr?.on('data', look);
    child.once('error', reject).once('close', onClose);
  });
}
