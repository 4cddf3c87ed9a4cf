import type { AddressInfo, Socket } from 'node:net';
import {
  TLSSocket,
  type CipherNameAndProtocol,
  type DetailedPeerCertificate,
  type PeerCertificate,
} from 'node:tls';
import { randomInt } from 'node:crypto';
import { HoldfastError } from '../errors.js';
import type { GuardContext } from '../guard/socket-guard.js';
import type { Verdict } from '../guard/verdict.js';
import type { HoldfastOptions, ReconnectOptions, ResolvedOptions } from '../options/types.js';
import { requireDiallable } from './dial.js';
import type { PendingWrites, ResumeHook, SessionEvents } from './events.js';
import { requireTimeout } from './idle-timeout.js';
import type { StateName } from './machine.js';
import type { Session } from './session.js';
import type { SessionHooks } from './session-setup.js';
import { SessionStream, type ReconnectingTarget } from './session-stream.js';

/** Where to connect to and how, and the library's options, in one object. */
export type ReconnectingSocketOptions = ReconnectingTarget &
  Omit<HoldfastOptions, 'reconnect' | 'resume'> & {
    readonly reconnect?: ReconnectOptions<Verdict> | undefined;
    /** Restores the session on each generation after the first, before any held write goes out. */
    readonly resume?: ResumeHook | undefined;
  };

/** The events of a ReconnectingSocket: a net.Socket's, and its own. */
export interface ReconnectingSocketEvents extends SessionEvents {
  close: [hadError: boolean];
  connect: [];
  data: [chunk: Buffer];
  drain: [];
  end: [];
  error: [error: Error];
  finish: [];
  ready: [];
  secureConnect: [];
  timeout: [];
}

type Listener = (...args: never[]) => void;
type AnyListener = Parameters<SessionStream['on']>[1];

/**
 * A stream with net.Socket's surface that outlives its TCP connection. When the verdict on a dead connection says that
 * the network did it, it connects again, runs the resume hook, sends what was held meanwhile, and goes on: same object,
 * same listeners. See docs/reconnecting-socket.md for states, events and what becomes of bytes.
 */
export class ReconnectingSocket extends SessionStream {
  /** `connecting`, `open`, `suspended`, `resuming` or `closed`. */
  get state(): StateName {
    return this.session.state.name;
  }

  /** Which physical socket is in use, counted from 1; 0 before the first and once closed. While suspended, the last one. */
  get generation(): number {
    const { state } = this.session;
    return 'generation' in state ? state.generation : 0;
  }

  /** Writes that were accepted and handed to no generation yet. */
  get pendingWrites(): PendingWrites {
    return this.session.pending;
  }

  /** The physical socket in use; undefined while there is none. For looking at, not for reading or writing. */
  get physicalSocket(): Socket | undefined {
    return this.session.socket;
  }

  /**
   * As on net.Socket, for drivers that are given a stream and connect it. A session made with a target ignores the one
   * given here. 'connect' is emitted once it is there, or soon when it is already.
   * @throws HoldfastError ERR_HOLDFAST_CLOSED after the end of the session
   */
  connect(...args: readonly unknown[]): this {
    const listener = args.find((arg): arg is () => void => typeof arg === 'function');
    if (listener !== undefined) this.once('connect', listener);
    this.start(targetOf(args));
    return this;
  }

  /** True until the first connection is made. During an outage it is false: the session stands. */
  get connecting(): boolean {
    const { state } = this.session;
    return state.name === 'connecting' && state.dialling;
  }

  get pending(): boolean {
    return this.session.state.name === 'connecting' || this.session.state.name === 'closed';
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get remoteAddress(): string | undefined {
    return this.session.ends.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.session.ends.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.session.ends.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.session.ends.localAddress;
  }

  get localPort(): number | undefined {
    return this.session.ends.localPort;
  }

  get localFamily(): string | undefined {
    return this.session.ends.localFamily;
  }

  address(): AddressInfo | Record<string, never> {
    const { localAddress: address, localFamily: family, localPort: port } = this.session.ends;
    return address === undefined || family === undefined || port === undefined
      ? {}
      : { address, family, port };
  }

  /** Bytes received over all generations; what a resume hook reads does not count. */
  get bytesRead(): number {
    return this.session.bytesRead;
  }

  /** Bytes written to the session, held ones included. */
  get bytesWritten(): number {
    return this.session.outgoing.completed + this.writableLength;
  }

  get timeout(): number | undefined {
    return this.session.timeout;
  }

  /** As on net.Socket. An outage counts as inactivity. @throws HoldfastError ERR_HOLDFAST_ARGUMENT */
  setTimeout(ms: number, callback?: () => void): this {
    requireTimeout(ms);
    if (this.destroyed) return this;
    this.session.setTimeout(ms);
    if (callback !== undefined) {
      if (ms === 0) this.off('timeout', callback);
      else this.once('timeout', callback);
    }
    return this;
  }

  /** Holds for every generation. */
  setNoDelay(noDelay = true): this {
    this.session.setNoDelay(noDelay);
    return this;
  }

  /** Remembered; it changes nothing while the library's own keepalive is in force. */
  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.session.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    this.session.setHold(true);
    return this;
  }

  /** Lets the process end while the session lives, an outage and its timers included. */
  unref(): this {
    this.session.setHold(false);
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes with a reset. With TLS it throws what a TLSSocket throws, and the session lives on. */
  resetAndDestroy(): this {
    this.session.socket?.resetAndDestroy();
    return this.destroy();
  }

  // ---- TLS: what the generation in use says; undefined without TLS or without a generation ----

  get encrypted(): true | undefined {
    return this.session.isSecure ? true : undefined;
  }

  get authorized(): boolean {
    return tlsOf(this.session)?.authorized ?? false;
  }

  get authorizationError(): Error | undefined {
    return tlsOf(this.session)?.authorizationError;
  }

  get alpnProtocol(): string | false | null | undefined {
    return tlsOf(this.session)?.alpnProtocol;
  }

  get servername(): string | false | null | undefined {
    return (tlsOf(this.session) as { servername?: string | false | null } | undefined)?.servername;
  }

  getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate | undefined {
    return tlsOf(this.session)?.getPeerCertificate(detailed);
  }

  getCipher(): CipherNameAndProtocol | undefined {
    return tlsOf(this.session)?.getCipher();
  }

  getProtocol(): string | null | undefined {
    return tlsOf(this.session)?.getProtocol();
  }

  getSession(): Buffer | undefined {
    return tlsOf(this.session)?.getSession();
  }

  isSessionReused(): boolean {
    return tlsOf(this.session)?.isSessionReused() ?? false;
  }

  // ---- typed events ----

  override on<E extends keyof ReconnectingSocketEvents>(
    event: E,
    listener: (...args: ReconnectingSocketEvents[E]) => void,
  ): this;
  override on(event: string | symbol, listener: Listener): this;
  override on(event: string | symbol, listener: Listener): this {
    return super.on(event, listener as AnyListener);
  }

  override once<E extends keyof ReconnectingSocketEvents>(
    event: E,
    listener: (...args: ReconnectingSocketEvents[E]) => void,
  ): this;
  override once(event: string | symbol, listener: Listener): this;
  override once(event: string | symbol, listener: Listener): this {
    return super.once(event, listener as AnyListener);
  }

  override off<E extends keyof ReconnectingSocketEvents>(
    event: E,
    listener: (...args: ReconnectingSocketEvents[E]) => void,
  ): this;
  override off(event: string | symbol, listener: Listener): this;
  override off(event: string | symbol, listener: Listener): this {
    return super.off(event, listener as AnyListener);
  }
}

function tlsOf({ socket }: Session): TLSSocket | undefined {
  return socket instanceof TLSSocket ? socket : undefined;
}

/** net.Socket's three forms of `connect`: (options), (port, host), (port). */
function targetOf([first, second]: readonly unknown[]): Partial<ReconnectingTarget> {
  if (typeof first === 'object' && first !== null) {
    requireDiallable(first);
    return first;
  }
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    return { port: Number(first), ...(typeof second === 'string' ? { host: second } : {}) };
  }
  const message = `connect() takes a port and a host, or an object with both, and got ${String(first)}`;
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
}

const RANDOM_STEPS = 2 ** 32;

/** Spreads clients that lost their connections together; nothing here needs to be secret. */
function random(): number {
  return randomInt(RANDOM_STEPS) / RANDOM_STEPS;
}

const NOBODY: SessionHooks = Object.freeze({});

/**
 * Makes a session. With a port it connects at once; without one it waits for `connect(port, host)`.
 *
 * @param target the connect options, split from the library's
 * @param hooks one object for all sessions of an instance
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT; what net.connect throws for its options
 */
export function createReconnectingSocket(
  target: ReconnectingTarget,
  options: ResolvedOptions,
  context: GuardContext,
  hooks: SessionHooks = NOBODY,
): ReconnectingSocket {
  requireDiallable(target);
  return new ReconnectingSocket({ target, options, context, random, hooks });
}
