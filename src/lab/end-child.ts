import type { ChildProcess } from 'node:child_process';

const GRACE_MS = 1000;

/** Asks a child to end, kills it after a second, and resolves when it is gone. `ask` defaults to SIGTERM. */
export async function endChild(
  child: ChildProcess,
  ask = (): void => void child.kill('SIGTERM'),
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  await new Promise<void>(resolve => {
    const kill = setTimeout(() => void child.kill('SIGKILL'), GRACE_MS);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    ask();
  });
}
