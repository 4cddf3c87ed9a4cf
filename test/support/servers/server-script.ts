import type { ChildProcess, SpawnOptions } from 'node:child_process';

/** What a server needs of the place it runs in: a `NatLab`, or anything that can start programs on a server side. */
export interface ServerSide {
  spawn(side: 'server', command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
}

/**
 * Runs a program until its standard input ends, then ends it and removes its folder. The pipe ends with the process
 * that holds the other side, however that one ends, so neither the server nor its data outlive a killed test run.
 * Arguments: folder, signal that makes the program end at once, program, its arguments.
 */
const SCRIPT = `
folder=$1 signal=$2
shift 2
finish() {
  trap '' TERM INT HUP
  kill -s "$signal" "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  rm -rf -- "$folder"
  exit 0
}
trap finish TERM INT HUP
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
cat <&3 >/dev/null 3<&- &
wait $!
finish
`;

/** Starts a server with the folder it owns. End it with {@link endServer}. */
export function startServer(
  side: ServerSide,
  server: {
    readonly folder: string;
    readonly endSignal: 'TERM' | 'QUIT' | 'INT' | 'KILL';
    readonly command: readonly string[];
  },
): ChildProcess {
  const { folder, endSignal, command } = server;
  const args = ['-c', SCRIPT, 'server', folder, endSignal, ...command];
  // Detached: the lab would tie the script to this process with a SIGKILL, and nobody would clean up.
  return side.spawn('server', 'sh', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
}

/** Ends a server started with {@link startServer} and waits until it and its data are gone. */
export async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('close', resolve));
  child.stdin?.end();
  await gone;
}
