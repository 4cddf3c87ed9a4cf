import type { Socket } from 'node:net';
import type { ConnectOptions } from './guard/connect.js';
import type { Guard } from './guard/harden.js';
import type { ProbeOptions, ProbeResult } from './guard/probe.js';
import type { LessonsJson } from './fleet/lessons-json.js';
import type { TargetName } from './fleet/registry.js';
import type { SweepResult } from './fleet/sweep.js';
import type { TcpInfo } from './kernel/tcp-info.js';
import type { ReconnectingSocket, ReconnectingSocketOptions } from './reconnect/reconnecting-socket.js';
import type { HoldfastOptions } from './options/types.js';
import { sharedInstance as instance } from './shared.js';

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
 * A stream with net.Socket's surface that outlives its TCP connection. When the network took the connection (see
 * `reconnect.on`) it dials again with backoff, runs the `resume` hook on the new connection, and then sends what was
 * written meanwhile, once and in order. Bytes already handed to the kernel are never sent again: the hook and the
 * 'suspended' event are told which are of unknown fate.
 *
 * @param options what `net.connect` or, with `tls`, `tls.connect` takes, and the library's options, in one object. With a
 *   port it connects at once; without one it waits for `connect(port, host)`, as drivers call it.
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS. The stream's errors: ERR_HOLDFAST_RECONNECT_FAILED
 *   (`cause` is the last attempt's), ERR_HOLDFAST_PENDING_FULL (that write only), and what net.Socket itself emits.
 * @example
 * const stream = createReconnectingSocket({
 *   host: 'feed.internal', port: 7000,
 *   resume: ({ socket }) => socket.write(`RESUME ${lastSeen}\n`),
 * });
 */
export function createReconnectingSocket(options: ReconnectingSocketOptions): ReconnectingSocket {
  return instance().createReconnectingSocket(options);
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
 * Probes the hardened sockets that have been silent for a second or more, all of a target or all there are, the longest
 * silent first, and destroys the dead ones with their verdicts before anyone writes to them. Runs by itself after an
 * eviction and when the process wakes; call it where you know better: a network came up, a failover ended.
 *
 * @param target `'host:port'` as it was asked for, or its address; default: all
 * @throws (rejects) HoldfastError ERR_HOLDFAST_ARGUMENT for a target that is not one
 * @example
 * const { dead } = await sweep('db.internal:5432');
 */
export function sweep(target?: TargetName): Promise<SweepResult> {
  return instance().sweep(target);
}

/** Every lesson the shared instance learned about its targets' paths, as plain JSON; see `Holdfast.lessons`. */
export function exportLessons(): LessonsJson {
  return instance().lessons.export();
}

/**
 * Takes over lessons another process exported, so that this one starts wise.
 * @returns how many were taken over
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT with everything wrong in `json`
 */
export function importLessons(json: unknown): number {
  return instance().lessons.import(json);
}

/**
 * The kernel's record of a connection: round trip, bytes acknowledged and not, times since last heard.
 * @returns undefined where it can't be read: not connected, already closed, not Linux, no binding
 */
export function readTcpInfo(socket: Socket): TcpInfo | undefined {
  return instance().readTcpInfo(socket);
}

export { Holdfast } from './holdfast.js';
export { HoldfastError, type HoldfastErrorCode, type HoldfastErrorOptions } from './errors.js';
export { verdictOf } from './guard/verdict-of.js';
export { retryNeverSent, type RetryNeverSentOptions } from './guard/retry-never-sent.js';
export { supervise } from './drivers/supervise.js';
export { optionsFromEnv, type Environment } from './options/env.js';
export { presets, type Confidence, type Preset } from './options/presets.js';
export type { ConnectOptions, ConnectTarget } from './guard/connect.js';
export type {
  ReconnectingSocket,
  ReconnectingSocketEvents,
  ReconnectingSocketOptions,
} from './reconnect/reconnecting-socket.js';
export type { ReconnectingTarget } from './reconnect/session-stream.js';
export type {
  AttemptedEvent,
  HeartbeatEvent,
  PendingWrites,
  ResumeHook,
  ResumeSession,
  ResumedEvent,
  SuspendedEvent,
  UncertainBytes,
} from './reconnect/events.js';
export type { ClientAdapter, StopWatching } from './drivers/adapter.js';
export type { DriverHeartbeat } from './drivers/driver-options.js';
export type {
  OpenAttempt,
  ResumedClient,
  RunOptions,
  SuperviseOptions,
  Supervised,
  SupervisedEvents,
} from './drivers/supervise.js';
export type { Guard } from './guard/harden.js';
export type { ProbeOptions, ProbeResult } from './guard/probe.js';
export type { ByteCounts, Cause, Delivery, Evidence, Target, Verdict } from './guard/verdict.js';
export type { SweepReason, SweptEvent } from './fleet/fleet.js';
export type { Lesson } from './fleet/lesson.js';
export type { LessonsJson } from './fleet/lessons-json.js';
export type { Lessons } from './fleet/lessons.js';
export type { TargetName } from './fleet/registry.js';
export type { SweepResult } from './fleet/sweep.js';
export type { LearnedEvent, UnlearnedEvent } from './fleet/teacher.js';
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
  ResolvedHeartbeat,
  ResolvedOptions,
  ResolvedReconnect,
} from './options/types.js';
