import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 10389;
const SUFFIX = 'dc=lab';
const SCHEMA = '/etc/ldap/schema/core.schema';

/** An OpenLDAP server of the running suite. It shows its two entries to its one user alone, who may write too. */
export interface SlapdServer {
  readonly port: number;
  /** The entry at the top. */
  readonly suffix: string;
  /** The entry to bind as. */
  readonly user: string;
  readonly password: string;
  log(): string;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

export interface SlapdFixture {
  readonly server: SlapdServer;
  /** With the user and password to bind with, and the entry at the top as its path. */
  readonly url: string;
}

/** For `before(requireSlapd)`: skips the suite where there is no OpenLDAP server; see {@link skipForMissing}. */
export function requireSlapd(this: Mocha.Context): void {
  if (findProgram('slapd') === undefined || !existsSync(SCHEMA))
    skipForMissing(this, 'no LDAP server: slapd is not on PATH or in /usr/sbin');
}

/** For a `describe` block behind `useNatLab`: its tests have an LDAP server beyond the NAT. */
export function useSlapd(nat: NatFixture): SlapdFixture {
  const server = useServer(requireSlapd, () => startSlapd(nat.lab));
  const fixture: SlapdFixture = {
    get server() {
      return server();
    },
    get url() {
      const { user, password, port, suffix } = fixture.server;
      const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
      return `ldap://${login}@${nat.lab.serverAddress}:${port}/${suffix}`;
    },
  };
  return fixture;
}

/** Starts OpenLDAP on the server side, with data of its own. It needs no right of root. */
export async function startSlapd(side: ServerSide): Promise<SlapdServer> {
  const program = findProgram('slapd');
  if (program === undefined) throw new Error('no OpenLDAP server here');
  return inOwnFolder('slapd', async folder => {
    const user = `cn=application,${SUFFIX}`;
    const password = 'secret';
    const config = join(folder, 'slapd.conf');
    const entries = join(folder, 'entries.ldif');
    await mkdir(join(folder, 'data'));
    await writeFile(config, settings(folder));
    await writeFile(entries, content(user, password));
    await promisify(execFile)(program, ['-T', 'add', '-f', config, '-l', entries]);
    // -d keeps it in the foreground and says what it logs on stderr; "stats" is what it does and for whom.
    const command = [program, '-f', config, '-h', `ldap://0.0.0.0:${PORT}/`, '-d', 'stats'];
    const child = startServer(side, { folder, endSignal: 'TERM', command });
    const log = await whenSaid(child, 'slapd starting', 'OpenLDAP');
    return { port: PORT, suffix: SUFFIX, user, password, log, stop: () => endServer(child) };
  });
}

function settings(folder: string): string {
  return `
include ${SCHEMA}
pidfile ${folder}/pid
argsfile ${folder}/args
database ldif
suffix "${SUFFIX}"
directory ${folder}/data
access to * by users write by anonymous auth
`;
}

function content(user: string, password: string): string {
  return `
dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
dc: lab
o: lab

dn: ${user}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: application
userPassword: ${password}
`;
}
