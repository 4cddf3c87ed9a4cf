import type { Socket } from 'node:net';
import type { ConnectOptions } from './guard/connect.js';
import type { Guard } from './guard/harden.js';
import type { ProbeOptions, ProbeResult } from './guard/probe.js';
import { Holdfast } from './holdfast.js';
import type { TcpInfo } from './kernel/tcp-info.js';
import type { HoldfastOptions } from './options/types.js';

let shared: Holdfast | undefined;

/** The instance behind the functions below: made at the first call, with options from `process.env`. */
function instance(): Holdfast {
  shared ??= new Holdfast({}, { env: process.env });
  return shared;
}

/**
 * Hardens a socket: sets TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT once it is connected, reads them
 * back, keeps later callers from undoing them, and puts the write gate, the heartbeat (if one is configured) and the
 * verdict in place. Hardening it again with other options changes them.
 *
 * @param socket any net.Socket or tls.TLSSocket, connected or not. With STARTTLS harden the TLSSocket: writes go past
 *   the raw socket under it.
 * @param options override the environment's for this socket
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (not a socket), ERR_HOLDFAST_OPTIONS (all problems in one error)
 * @example
 * const guard = harden(net.connect(5432, 'db.internal'), { keepalive: { idle: '30s' } });
 */
export function harden(socket: Socket, options?: HoldfastOptions): Guard {
  return instance().harden(socket, options);
}

/**
 * `net.connect`, or `tls.connect` with `tls: true`, hardened. Takes what those take and the library's options in one
 * object.
 *
 * @param listener called at 'connect', with TLS at 'secureConnect'
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS; what net.connect throws for its own options
 * @example
 * const socket = connect({ host: 'db.internal', port: 5432, keepalive: { idle: '30s' } });
 */
export function connect(options: ConnectOptions, listener?: () => void): Socket {
  return instance().connect(options, listener);
}

/**
 * Asks whether a connected socket's path is alive, in one round trip and without a byte of its protocol: the kernel is
 * made to send a keepalive now. A proxy in the path answers for itself. A socket heard from less than one second ago
 * is asked when that second is over. The socket is not destroyed when the answer is no.
 *
 * @throws (rejects) HoldfastError ERR_HOLDFAST_ARGUMENT when not a connected TCP socket, ERR_HOLDFAST_UNSUPPORTED where
 *   TCP_INFO can't be read
 */
export function probe(socket: Socket, options?: ProbeOptions): Promise<ProbeResult> {
  return instance().probe(socket, options);
}

/**
 * The kernel's record of a connection: round trip, bytes acknowledged and not, times since last heard.
 * @returns undefined where it can't be read: not connected, already closed, not Linux, no binding
 */
export function readTcpInfo(socket: Socket): TcpInfo | undefined {
  return instance().readTcpInfo(socket);
}

export { Holdfast } from './holdfast.js';
export { HoldfastError, type HoldfastErrorCode } from './errors.js';
export { verdictOf } from './guard/verdict-of.js';
export { retryNeverSent, type RetryNeverSentOptions } from './guard/retry-never-sent.js';
export { optionsFromEnv } from './options/env.js';
export { presets } from './options/presets.js';
export type { ConnectOptions, ConnectTarget } from './guard/connect.js';
export type { Guard } from './guard/harden.js';
export type { ProbeOptions, ProbeResult } from './guard/probe.js';
export type { ByteCounts, Cause, Delivery, Evidence, Target, Verdict } from './guard/verdict.js';
export type { HoldfastEvents } from './events/events.js';
export type { AppliedSettings, SettingReport } from './kernel/kernel.js';
export type { BindingName } from './kernel/binding.js';
export type { TcpInfo } from './kernel/tcp-info.js';
export type {
  BackendName,
  Duration,
  HeartbeatOptions,
  HoldfastOptions,
  KeepaliveOptions,
  OptionProblem,
  ReconnectOptions,
  ResolvedOptions,
} from './options/types.js';
