import { HoldfastError } from '../errors.js';
import type { ConnectTarget } from '../guard/connect.js';
import type { Trial } from './trial.js';

type Place = Partial<ConnectTarget>;

function nameOf({ host, port }: Place): string {
  return `${host ?? 'localhost'}:${port ?? '?'}`;
}

export function deadlineError(trial: Trial, deadline: number, target: Place): HoldfastError {
  const { attempt, phase } = trial;
  const what = phase === 'connect' ? 'connecting to' : 'the resume hook on the new connection to';
  const message = `${what} ${nameOf(target)} took longer than the deadline of ${deadline} ms (attempt ${attempt})`;
  const { host, port } = target;
  return new HoldfastError('ERR_HOLDFAST_DEADLINE', message, {
    details: { host, port, phase, attempt, deadline },
  });
}

export function hookError({ attempt }: Trial, cause: unknown, target: Place): HoldfastError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the resume hook failed on the new connection to ${nameOf(target)}: ${why}`;
  const { host, port } = target;
  return new HoldfastError('ERR_HOLDFAST_RESUME_FAILED', message, {
    cause,
    details: { host, port, phase: 'resume', attempt },
  });
}

export function gaveUpError(
  target: Place,
  {
    cause,
    attempts,
    elapsed,
  }: { readonly cause: Error; readonly attempts: number; readonly elapsed: number },
): HoldfastError {
  const ms = Math.round(elapsed);
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  const message = `gave up connecting to ${nameOf(target)} after ${tries} in ${ms} ms: ${cause.message}`;
  const { host, port } = target;
  return new HoldfastError('ERR_HOLDFAST_RECONNECT_FAILED', message, {
    cause,
    details: { host, port, attempts, elapsed: ms },
  });
}

export function pendingFullError(
  target: Place,
  counts: {
    readonly pendingBytes: number;
    readonly maxPendingBytes: number;
    readonly refusedBytes: number;
  },
): HoldfastError {
  const { pendingBytes, maxPendingBytes, refusedBytes } = counts;
  const message = `a write of ${refusedBytes} bytes was refused and not sent: ${pendingBytes} bytes wait for the connection to ${nameOf(target)} to resume, and maxPendingBytes is ${maxPendingBytes}`;
  return new HoldfastError('ERR_HOLDFAST_PENDING_FULL', message, { details: { ...counts } });
}

/** The new connection was closed in order, which nobody had asked for. */
export function closedEarly(target: Place): Error {
  const message = `${nameOf(target)} closed the new connection before it was in use`;
  return Object.assign(new Error(message), { code: 'ECONNRESET', syscall: 'read' });
}

export function closedError(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_CLOSED', message);
}
