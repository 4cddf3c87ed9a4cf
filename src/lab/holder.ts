import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { endChild } from './end-child.js';
import { LabError } from './lab-error.js';

/**
 * Runs inside the new namespace. Addresses must be usable at once, so duplicate address detection goes off before
 * there is any. Then it waits for the end of its stdin, the pipe from us: however this process dies, the holder
 * ends, and with the last process the kernel takes the namespace, its links and its rules.
 */
const HOLD = `
for group in all default; do
  file=/proc/sys/net/ipv6/conf/$group/accept_dad
  if [ -e $file ]; then echo 0 > $file; fi
done
echo held
exec cat > /dev/null
`;

/** A process that keeps one network namespace in existence. */
export interface Holder {
  /** The namespace is /proc/PID/ns/net. */
  readonly pid: number;
  readonly isHeld: boolean;
  /** Ends the process and resolves when it is gone. */
  release(): Promise<void>;
}

/** Starts a holder. `command` makes the namespace and runs what follows it, e.g. `['unshare', '--net']`. */
export async function startHolder(command: readonly [string, ...string[]]): Promise<Holder> {
  const [program, ...args] = command;
  // Detached: a Ctrl-C meant for the foreground must not take the network away before the tests have cleaned up.
  const child = spawn(program, [...args, 'sh', '-c', HOLD], { stdio: 'pipe', detached: true });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  child.stdin.on('error', () => undefined); // the holder's exit tells the same
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.once('data', () => resolve());
    child.once('close', code =>
      reject(
        new LabError(
          `${program} could not make a namespace: ${complaint.trim() || `exit code ${code ?? '?'}`}`,
        ),
      ),
    );
  });
  letProcessEnd(child);
  return {
    pid: child.pid ?? 0,
    get isHeld() {
      return child.exitCode === null && child.signalCode === null;
    },
    release: () => endChild(child, () => child.stdin.destroy()),
  };
}

/** An open lab alone must not keep the process alive. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  // Pipes to children are sockets, though the types know only streams.
  for (const pipe of [child.stdin, child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
}
