import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { NatLab } from '../../lab/index.js';
import { CliError, exitCodes } from '../exit-codes.js';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;

/** Runs a command on the client side with this process's stdin, stdout and stderr. Resolves with its exit code. */
export async function runCommand(
  lab: NatLab,
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = lab.spawn('client', program, args, { stdio: 'inherit', env });
  const stopForwarding = forwardSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(cannotStart(program, error)));
      child.once('close', (code, signal) => resolve(code ?? exitCodeOfSignal(signal)));
    });
  } finally {
    stopForwarding();
  }
}

function cannotStart(program: string, { code, message }: NodeJS.ErrnoException): CliError {
  const why = code === 'ENOENT' ? 'no such program' : message;
  return new CliError(exitCodes.commandNotFound, `can't run ${program}: ${why}`);
}

/** As a shell says it. */
function exitCodeOfSignal(signal: NodeJS.Signals | null): number {
  return signal === null ? 1 : 128 + constants.signals[signal];
}

function forwardSignals(child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends Ctrl-C to the whole foreground group: the command has it already.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}
