import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 10025;
const ACCOUNT = 'Debian-exim';

/** An Exim mail server of the running suite. It takes every message from everybody, and throws it away. */
export interface SmtpServer {
  readonly port: number;
  /** Everything the server has logged, each message taken among it. */
  log(): string;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

export interface SmtpFixture {
  readonly server: SmtpServer;
  readonly url: string;
}

/** For `before(requireSmtp)`: skips the suite where there is no Exim; see {@link skipForMissing}. */
export function requireSmtp(this: Mocha.Context): void {
  if (findProgram('exim4') === undefined)
    skipForMissing(this, 'no SMTP server: exim4 is not on PATH or in /usr/sbin');
}

/** For a `describe` block behind `useNatLab`: its tests have an SMTP server beyond the NAT. */
export function useSmtp(nat: NatFixture): SmtpFixture {
  const server = useServer(requireSmtp, () => startSmtp(nat.lab));
  const fixture: SmtpFixture = {
    get server() {
      return server();
    },
    get url() {
      return `smtp://${nat.lab.serverAddress}:${fixture.server.port}`;
    },
  };
  return fixture;
}

/** Starts Exim on the server side, under its own account, which needs no other right. */
export async function startSmtp(side: ServerSide): Promise<SmtpServer> {
  const program = findProgram('exim4');
  if (program === undefined) throw new Error('no Exim here');
  return inOwnFolder('smtp', async folder => {
    await mkdir(join(folder, 'spool'));
    const config = join(folder, 'exim.conf');
    await writeFile(config, settings(folder));
    // With debugging on, it logs to stderr and says when it listens.
    const command = [...asAccount(), program, '-C', config, '-bdf', '-d-all+acl'];
    const child = startServer(side, { folder, endSignal: 'KILL', command });
    const log = await whenSaid(child, 'Listening...', 'Exim');
    return { port: PORT, log, stop: () => endServer(child) };
  });
}

function settings(folder: string): string {
  return `
primary_hostname = localhost
spool_directory = ${folder}/spool
log_file_path = ${folder}/spool/%slog
pid_file_path = ${folder}/spool/pid
local_interfaces = 0.0.0.0
daemon_smtp_ports = ${PORT}
smtp_accept_max = 0
tls_advertise_hosts =
rfc1413_query_timeout = 0s
keep_environment =
acl_smtp_rcpt = accept
acl_smtp_data = discard
`;
}

/**
 * Goes in front of a command: Exim refuses to be a daemon for anybody but its account and root, and as root it wants
 * to change to that account. In a namespace where we go by its name it is content. Each connection has a process that
 * would outlive the daemon: they all go with the first of a process namespace.
 */
function asAccount(): string[] {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${ACCOUNT}:`));
  const [uid, gid] = (entry ?? '').split(':').slice(2);
  if (uid === undefined || gid === undefined) throw new Error(`there is no account ${ACCOUNT}`);
  const user = ['--user', `--map-user=${uid}`, `--map-group=${gid}`];
  return ['unshare', ...user, '--pid', '--fork', '--kill-child', '--'];
}
