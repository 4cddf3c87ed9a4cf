import { constants } from 'node:os';
import { TCP_CLOSE } from '../kernel/tcp-info.js';
import { knownTimeouts } from '../options/presets.js';
import { classify } from './classify.js';
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

/** Gathers what the kernel and the stream know at death, and judges it. */
export function deathOf(
  guard: SocketGuard,
  death: {
    readonly error: Error | null;
    readonly connected: boolean;
    readonly probe: 'reset' | 'silent' | undefined;
    readonly held: number;
  },
): Verdict {
  const { socket, context } = guard;
  const info = death.connected ? guard.tcpInfo : undefined;
  const target = guard.target ?? targetOfError(death.error);
  const silence = info === undefined ? undefined : Math.min(info.lastAckRecv, info.lastDataRecv);
  const handedOver = socket.bytesWritten;
  const code = (death.error as { code?: unknown } | null)?.code;
  const reset = info?.state === TCP_CLOSE;
  return classify({
    error: death.error === null ? undefined : { code: typeof code === 'string' ? code : undefined },
    connected: death.connected,
    tcpInfo: info,
    silence,
    queued: Math.max(socket.writableLength, death.held),
    handedOver,
    probe: death.probe,
    ended: socket.readableEnded,
    userTimeout: guard.options.userTimeout,
    // Looked up only where it can matter.
    knownTimeouts: reset ? [...(context.hooks.knownTimeouts?.(target) ?? []), ...knownTimeouts()] : [],
    evidence: reset ? (context.hooks.evidence?.(target, silence) ?? []) : [],
    target,
    at: context.clock.wall(),
  });
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
