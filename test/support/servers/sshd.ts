import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 2222;
const USER = 'lab';
const USER_ID = 1000;

export interface SshServer {
  readonly port: number;
  readonly user: string;
  /** The file that has the user's private key. */
  readonly keyFile: string;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireSshd)`: skips the suite where there is no SSH server; see {@link skipForMissing}. */
export function requireSshd(this: Mocha.Context): void {
  if (findProgram('sshd') === undefined || findProgram('ssh-keygen') === undefined)
    skipForMissing(this, 'no SSH server: sshd and ssh-keygen are not on PATH or in /usr/sbin');
}

/** For a `describe` block behind `useNatLab`: its tests have an SSH server beyond the NAT. */
export function useSshd(nat: NatFixture): { readonly url: string } {
  const server = useServer(requireSshd, () => startSshd(nat.lab));

  return {
    /** Its path is that of the user's private key. */
    get url() {
      const { user, port, keyFile } = server();
      return `ssh://${user}@${nat.lab.serverAddress}:${port}${keyFile}`;
    },
  };
}

/** Starts OpenSSH's server on the server side, with keys of its own and one user, who is not root. */
export async function startSshd(side: ServerSide): Promise<SshServer> {
  const program = findProgram('sshd');
  if (program === undefined) throw new Error('no sshd here');
  return inOwnFolder('sshd', async folder => {
    const inFolder = (name: string): string => join(folder, name);
    for (const name of ['host', 'user']) {
      const args = ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', inFolder(name)];
      await promisify(execFile)('ssh-keygen', args);
    }
    await writeFile(inFolder('passwd'), `${USER}:x:${USER_ID}:${USER_ID}::${folder}:/bin/sh\n`);
    await writeFile(inFolder('sshd.conf'), settings(folder));
    const sshd = [program, '-D', '-e', '-f', inFolder('sshd.conf')];
    const child = startServer(side, {
      folder,
      endSignal: 'KILL',
      command: [...IN_NAMESPACE, 'sh', '-c', AS_USER, 'sh', inFolder('passwd'), ...sshd],
    });
    await whenSaid(child, 'Server listening', 'sshd');
    return { port: PORT, user: USER, keyFile: inFolder('user'), stop: () => endServer(child) };
  });
}

/** Sessions outlive the server that they belong to, but not the first process of their namespace. */
const IN_NAMESPACE = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--'];

/**
 * Runs a program as the only user of a namespace that knows no other, neither by number nor by name. sshd started by root
 * wants an account and a folder of its own; started by a user it serves that user.
 */
const AS_USER = `
mount --bind "$1" /etc/passwd
shift
exec unshare --user --map-user=${USER_ID} --map-group=${USER_ID} -- "$@"
`;

function settings(folder: string): string {
  return `
Port ${PORT}
ListenAddress 0.0.0.0
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/user.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
MaxStartups 100
`;
}
