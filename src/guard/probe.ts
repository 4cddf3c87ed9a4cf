import type { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { tcpHandle } from '../kernel/handle.js';
import { countsSyn, TCP_CLOSE } from '../kernel/tcp-info.js';
import { parseDuration } from '../options/durations.js';
import type { Duration } from '../options/types.js';
import { isReset } from './autopsy.js';
import { classify } from './classify.js';
import { guardOf } from './cover.js';
import type { GuardContext } from './context.js';
import { PathProbe, silenceOf, type ProbeOutcome } from './path-probe.js';
import type { SocketGuard } from './socket-guard.js';
import { targetOf } from './target.js';
import type { Verdict } from './verdict.js';

export interface ProbeOptions {
  /**
   * Time without an answer that means dead, at least 1 ms. Default: the socket's `probeTimeout` where it is hardened,
   * else 8 measured round trips, within 250 ms and 3 s. A probe already under way keeps its own.
   */
  readonly timeout?: Duration | undefined;
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
  const timeout = readTimeout(options.timeout);
  const guard = guardOf(socket);
  if (guard?.verdict !== undefined) return { alive: false, rtt: undefined, verdict: guard.verdict };
  const outcome = await (guard === undefined || guard.isReleased
    ? askUnguarded(socket, context, timeout)
    : askGuard(guard, timeout));
  // Released while it was asked: the socket lives on and so does the question.
  if (outcome.outcome === 'abandoned' && !socket.destroyed) return probeSocket(socket, context, options);
  return outcome.outcome === 'alive'
    ? { alive: true, rtt: outcome.rtt }
    : { alive: false, rtt: undefined, verdict: verdictAfter(guard) ?? judge(socket, context, outcome) };
}

/** A function, because the compiler takes a getter's value for settled, and it changes while we wait. */
function verdictAfter(guard: SocketGuard | undefined): Verdict | undefined {
  return guard?.verdict;
}

function readTimeout(timeout: Duration | undefined): number | undefined {
  if (timeout === undefined) return undefined;
  const parsed = parseDuration(timeout);
  if (parsed !== undefined && parsed >= 1) return parsed;
  const message = `probe: timeout must be a duration of at least 1 ms, such as 500 or '2s', and is ${String(timeout)}`;
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
}

function askGuard(guard: SocketGuard, timeout: number | undefined): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    if (!guard.ask(timeout, resolve)) reject(cannotAsk(guard.socket, guard.context));
  });
}

function askUnguarded(
  socket: Socket,
  { kernel, clock }: GuardContext,
  timeout: number | undefined,
): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    const handle = tcpHandle(socket);
    const onClose = (): void =>
      probe?.finish(
        isReset(socket.errored ?? null) ? { outcome: 'reset', info: probe.info } : { outcome: 'abandoned' },
      );
    const probe =
      handle === undefined || socket.connecting
        ? undefined
        : PathProbe.ask({ handle, kernel, clock, timeout }, outcome => {
            socket.removeListener('close', onClose);
            resolve(outcome);
          });
    if (probe === undefined) reject(cannotAsk(socket, { kernel }));
    else socket.once('close', onClose);
  });
}

function cannotAsk(socket: Socket, context: Pick<GuardContext, 'kernel'>): HoldfastError {
  if (tcpHandle(socket) === undefined || socket.connecting) {
    return new HoldfastError('ERR_HOLDFAST_ARGUMENT', 'probe() needs a connected TCP socket');
  }
  const why = Object.entries(context.kernel.unavailable).map(([name, reason]) => `${name}: ${reason}`);
  const message = ['probe() needs a binding that reads TCP_INFO, and there is none here', ...why].join('; ');
  return new HoldfastError('ERR_HOLDFAST_UNSUPPORTED', message);
}

/** A verdict for a socket that has no guard to make one. */
function judge(socket: Socket, context: GuardContext, outcome: ProbeOutcome): Verdict {
  const handle = tcpHandle(socket);
  const info = 'info' in outcome ? outcome.info : undefined;
  const asked = outcome.outcome === 'reset' || outcome.outcome === 'silent' ? outcome.outcome : undefined;
  const code = asked && ({ reset: 'ECONNRESET', silent: 'ETIMEDOUT' } as const)[asked];
  return classify({
    error: code && { code },
    connected: true,
    // The record was read while the connection stood, or was the last before it fell.
    tcpInfo: info && (asked === 'reset' ? { ...info, state: TCP_CLOSE } : info),
    countsSyn: (info && countsSyn(info)) ?? true,
    silence: info && silenceOf(info),
    queued: socket.writableLength,
    handedOver: socket.bytesWritten,
    probe: asked,
    end: socket.readableEnded ? 'peer-first' : 'none',
    isCutOff: false,
    userTimeout: false,
    knownTimeouts: [],
    evidence: [],
    target: handle === undefined ? undefined : targetOf(socket, handle),
    at: context.clock.wall(),
  });
}
