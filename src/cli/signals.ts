import { exitCodes, type ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';

export interface Interruption {
  readonly signal: AbortSignal;
  /** What to exit with; undefined while nobody interrupted. */
  readonly exitCode: ExitCode | undefined;
  /** Gives the signals back to Node. */
  dispose(): void;
}

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/** Turns the first Ctrl-C or SIGTERM into an abort; the second ends the process at once. */
export function untilSignal(terminal: Terminal): Interruption {
  const controller = new AbortController();
  let exitCode: ExitCode | undefined;
  const onSignal = (name: 'SIGINT' | 'SIGTERM'): void => {
    if (exitCode !== undefined) process.exit(exitCode);
    exitCode = codes[name];
    if (terminal.err.isTTY) terminal.err.line();
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    dispose: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
