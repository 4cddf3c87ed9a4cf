import type { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { tcpHandle } from '../kernel/handle.js';
import { classify } from './classify.js';
import { guardOf } from './cover.js';
import { PathProbe, type ProbeOutcome } from './path-probe.js';
import type { GuardContext } from './socket-guard.js';
import { targetOf } from './target.js';
import type { Verdict } from './verdict.js';

export interface ProbeOptions {
  /** Milliseconds without an answer that mean dead. Default: 8 measured round trips, within 250 ms and 3 s. */
  readonly timeout?: number | undefined;
}

export interface ProbeResult {
  readonly alive: boolean;
  /** Milliseconds to the answer; undefined when there was none. */
  readonly rtt: number | undefined;
  /** Why not, when not alive. */
  readonly verdict?: Verdict;
}

/** See `probe` in the package's entry. */
export async function probeSocket(
  socket: Socket,
  context: GuardContext,
  options: ProbeOptions = {},
): Promise<ProbeResult> {
  const { timeout } = options;
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout >= 1)) {
    const message = `probe: timeout must be a number of milliseconds of at least 1, and is ${String(timeout)}`;
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
  }
  const guard = guardOf(socket);
  if (guard !== undefined && !guard.isReleased) {
    if (guard.verdict !== undefined) return { alive: false, rtt: undefined, verdict: guard.verdict };
    const outcome = await new Promise<ProbeOutcome>((resolve, reject) => {
      if (!guard.ask(timeout, resolve)) reject(cannotAsk(socket, context));
    });
    return resultOf(outcome, () => guard.verdict ?? judge(socket, context, outcome));
  }
  const outcome = await probeUnguarded(socket, context, timeout);
  return resultOf(outcome, () => judge(socket, context, outcome));
}

function probeUnguarded(
  socket: Socket,
  context: GuardContext,
  timeout: number | undefined,
): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    const handle = tcpHandle(socket);
    const { kernel, clock } = context;
    const onClose = (hadError: boolean): void =>
      probe?.finish(hadError ? { outcome: 'reset', info: probe.info } : { outcome: 'abandoned' });
    const probe =
      handle === undefined || socket.connecting
        ? undefined
        : PathProbe.start({
            handle,
            kernel,
            clock,
            timeout,
            done: outcome => {
              socket.removeListener('close', onClose);
              resolve(outcome);
            },
          });
    if (probe === undefined) reject(cannotAsk(socket, context));
    else socket.once('close', onClose);
  });
}

function cannotAsk(socket: Socket, context: GuardContext): HoldfastError {
  if (tcpHandle(socket) === undefined || socket.connecting) {
    return new HoldfastError('ERR_HOLDFAST_ARGUMENT', 'probe() needs a connected TCP socket');
  }
  const why = Object.entries(context.kernel.unavailable).map(([name, reason]) => `${name}: ${reason}`);
  const message = ['probe() needs a binding that reads TCP_INFO, and there is none here', ...why].join('; ');
  return new HoldfastError('ERR_HOLDFAST_UNSUPPORTED', message);
}

function resultOf(outcome: ProbeOutcome, verdict: () => Verdict): ProbeResult {
  return outcome.outcome === 'alive'
    ? { alive: true, rtt: outcome.rtt }
    : { alive: false, rtt: undefined, verdict: verdict() };
}

/** A verdict for a socket that has no guard to make one. */
function judge(socket: Socket, context: GuardContext, outcome: ProbeOutcome): Verdict {
  const handle = tcpHandle(socket);
  const info = 'info' in outcome ? outcome.info : undefined;
  const codes = { reset: 'ECONNRESET', silent: 'ETIMEDOUT' } as const;
  const code =
    outcome.outcome === 'reset' || outcome.outcome === 'silent' ? codes[outcome.outcome] : undefined;
  return classify({
    error: code === undefined ? undefined : { code },
    connected: true,
    // The record was read while the connection stood, or was the last before it fell.
    tcpInfo: info === undefined || outcome.outcome !== 'reset' ? info : { ...info, state: 7 },
    silence: info === undefined ? undefined : Math.min(info.lastAckRecv, info.lastDataRecv),
    queued: socket.writableLength,
    handedOver: socket.bytesWritten,
    probe: outcome.outcome === 'reset' || outcome.outcome === 'silent' ? outcome.outcome : undefined,
    ended: socket.readableEnded,
    userTimeout: false,
    knownTimeouts: [],
    evidence: [],
    target: handle === undefined ? undefined : targetOf(socket, handle),
    at: context.clock.wall(),
  });
}
