import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { tcpHandle } from '../kernel/handle.js';
import { TCP_CLOSE, type TcpInfo } from '../kernel/tcp-info.js';
import { knownTimeouts } from '../options/presets.js';
import { classify, RESET_CODES } from './classify.js';
import { silenceOf } from './path-probe.js';
import type { SocketGuard } from './socket-guard.js';
import type { Target, Verdict } from './verdict.js';

/** Shared by every copy of the library in a process, so that one copy's verdict is found by another. */
const kVerdict = Symbol.for('holdfast.verdict');

/** Ties a verdict to an error. The first one stays: an error passed on to other sockets keeps its own story. */
export function rememberVerdict(error: Error, verdict: Verdict): void {
  if (Object.hasOwn(error, kVerdict) || !Object.isExtensible(error)) return;
  Object.defineProperty(error, kVerdict, { value: verdict });
}

export function rememberedVerdict(error: object): Verdict | undefined {
  return Object.hasOwn(error, kVerdict) ? (error as { [kVerdict]?: Verdict })[kVerdict] : undefined;
}

interface Death {
  readonly error: Error | null;
  readonly connected: boolean;
  readonly probe: 'reset' | 'silent' | undefined;
  /** Bytes of the write the gate holds. */
  readonly held: number;
}

/** Gathers what the kernel and the stream know at death, and judges it. */
export function deathOf(guard: SocketGuard, death: Death): Verdict {
  const { socket, context } = guard;
  const { error, connected, probe } = death;
  const info = connected ? guard.tcpInfo : undefined;
  const target = guard.target ?? targetOfError(error);
  const silence = info === undefined ? undefined : silenceOf(info);
  const reset = info?.state === TCP_CLOSE;
  const verdict = classify({
    error: error === null ? undefined : { code: codeOf(error) },
    connected,
    tcpInfo: info,
    countsSyn: guard.countsSyn,
    silence,
    queued: Math.max(socket.writableLength, death.held),
    handedOver: socket.bytesWritten,
    probe,
    end: guard.end,
    isCutOff: wasCutOff(socket, info),
    userTimeout: guard.options.userTimeout,
    // Looked up only where it can matter.
    knownTimeouts: reset ? [...(context.hooks.knownTimeouts?.(target) ?? []), ...knownTimeouts()] : [],
    evidence: reset ? (context.hooks.evidence?.(target, silence) ?? []) : [],
    target,
    at: context.clock.wall(),
  });
  diedAt.set(verdict, context.clock.now());
  return verdict;
}

/**
 * The connection is over, all that came was read, and no FIN was in it: a reset or a timeout ended it. A connection that
 * was closed in order is in the same state once both sides are done, so the state alone says nothing.
 */
export function wasCutOff(socket: Socket, info: TcpInfo | undefined): boolean {
  if (info?.state !== TCP_CLOSE) return false;
  const read = tcpHandle(socket)?.bytesRead;
  return read === undefined || info.bytesReceived === undefined
    ? !socket.writableEnded
    : info.bytesReceived <= read;
}

/** The wall clock can jump, so what is compared is kept on the monotonic one. */
const diedAt = new WeakMap<Verdict, number>();

/** When the socket died, on its context's monotonic clock; undefined for a verdict that was not made at a death. */
export function timeOfDeath(verdict: Verdict): number | undefined {
  return diedAt.get(verdict);
}

function codeOf(error: Error | null): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether the error is how the system reports a reset. */
export function isReset(error: Error | null): boolean {
  const code = codeOf(error);
  return code !== undefined && RESET_CODES.has(code);
}

/** A connection that was never made is known only from its error. */
function targetOfError(error: Error | null): Target | undefined {
  const { address, port, hostname } = (error ?? {}) as {
    address?: unknown;
    port?: unknown;
    hostname?: unknown;
  };
  const name = typeof hostname === 'string' ? hostname : address;
  if (typeof name !== 'string') return undefined;
  return {
    host: name,
    address: typeof address === 'string' ? address : undefined,
    port: typeof port === 'number' ? port : 0,
  };
}

function systemError(
  code: 'ETIMEDOUT' | 'ECONNRESET',
  syscall: string,
  message: string,
  peer?: Target,
): Error {
  return Object.assign(new Error(message), {
    code,
    errno: -constants.errno[code],
    syscall,
    ...(peer === undefined ? {} : { address: peer.address ?? peer.host, port: peer.port }),
  });
}

/** The error of a write that the gate did not send because the path is silent. Looks like the system's own. */
export function timeoutError(peer: Target | undefined, waited: number): Error {
  const why = `the path gave no answer to a probe within ${Math.round(waited)} ms, so nothing was sent`;
  return systemError('ETIMEDOUT', 'write', `write ETIMEDOUT (${why})`, peer);
}

export function resetError(peer: Target | undefined, syscall: 'read' | 'write'): Error {
  return systemError('ECONNRESET', syscall, `${syscall} ECONNRESET`, peer);
}
