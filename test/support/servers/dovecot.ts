import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, isMapped, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';

const ACCOUNT = 'dovecot';
const PORT = 10143;
const TLS_PORT = 10993;

/** A Dovecot IMAP server of the running suite. Any user may log in, and has an empty mailbox at first. */
export interface DovecotServer {
  readonly port: number;
  /** TLS from the start. `port` has STARTTLS. */
  readonly tlsPort: number;
  readonly password: string;
  /** The server's own certificate, for `tls: { ca }`. */
  readonly ca: string;
  /** Each user's mail is in the Maildir of that name. */
  readonly mail: string;
  /** Who must own what is put there. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  log(): string;
  /** Ends the sessions of a user, from the server's side. */
  kick(user: string): Promise<unknown>;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireDovecot)`: skips the suite where there is no Dovecot; see {@link skipForMissing}. */
export function requireDovecot(this: Mocha.Context): void {
  if (findProgram('dovecot') === undefined)
    skipForMissing(this, 'no IMAP server: dovecot is not on PATH or in /usr/sbin');
}

/** Starts Dovecot on the server side, all of it under one account that is not root. */
export async function startDovecot(side: ServerSide): Promise<DovecotServer> {
  const program = findProgram('dovecot');
  if (program === undefined) throw new Error('no Dovecot here');
  return inOwnFolder('dovecot', folder => startIn(folder, program, side));
}

async function startIn(folder: string, program: string, side: ServerSide): Promise<DovecotServer> {
  const account = findAccount();
  const { owner } = account;
  const config = join(folder, 'dovecot.conf');
  const mail = join(folder, 'mail');
  for (const path of [mail, join(folder, 'run')]) await mkdir(path);
  await makeCertificate(folder);
  await writeFile(config, settings(folder));
  if (owner !== undefined) {
    for (const name of ['', 'mail', 'run', 'server.key'])
      await chown(join(folder, name), owner.uid, owner.gid);
  }
  const command = [...account.command, program, '-F', '-c', config];
  // It takes more than a second to end when asked to. Its processes go when the first of them is gone.
  const child = startServer(side, { folder, endSignal: 'KILL', command });
  const log = await whenSaid(child, 'starting up for imap', 'Dovecot');
  const run = (...args: string[]): Promise<unknown> => {
    const [first = '', ...rest] = [...account.command, 'doveadm', '-c', config, ...args];
    return promisify(execFile)(first, rest);
  };
  return {
    port: PORT,
    tlsPort: TLS_PORT,
    password: 'secret',
    ca: await readFile(join(folder, 'server.crt'), 'utf8'),
    mail,
    owner,
    log,
    kick: user => run('kick', user),
    stop: () => endServer(child),
  };
}

function settings(folder: string): string {
  return `
protocols = imap
mail_max_userip_connections = 100
listen = *
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = /dev/stderr
default_internal_user = ${ACCOUNT}
default_internal_group = ${ACCOUNT}
default_login_user = ${ACCOUNT}
ssl = yes
ssl_cert = <${folder}/server.crt
ssl_key = <${folder}/server.key
disable_plaintext_auth = no
mail_location = maildir:${folder}/mail/%u
mailbox_idle_check_interval = 1s
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${ACCOUNT} gid=${ACCOUNT} home=${folder}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${PORT}
  }
  inet_listener imaps {
    port = ${TLS_PORT}
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
first_valid_uid = 1
`;
}

interface Account {
  /** Goes in front of a command: one account owns all of the server's processes, so that none needs root. */
  readonly command: readonly string[];
  /** Who the data must belong to; undefined: whoever makes it. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

function findAccount(): Account {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${ACCOUNT}:`));
  const [uid, gid] = (entry ?? '').split(':').slice(2).map(Number);
  if (uid === undefined || gid === undefined) throw new Error(`there is no account ${ACCOUNT}`);
  if (process.getuid?.() === 0 && isMapped(uid)) {
    const command = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
    return { command, owner: { uid, gid } };
  }
  // A namespace further in is where whoever we are goes by that name.
  const command = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'];
  return { command, owner: undefined };
}

async function makeCertificate(folder: string): Promise<void> {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    'server.key',
  ];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:10.77.2.2'];
  const args = ['req', '-x509', '-days', '2', ...key, ...names, '-out', 'server.crt'];
  await promisify(execFile)('openssl', args, { cwd: folder });
}
