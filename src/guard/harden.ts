import { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import type { AppliedSettings } from '../kernel/kernel.js';
import type { ResolvedOptions } from '../options/types.js';
import { guardOf } from './cover.js';
import { probeSocket, type ProbeOptions, type ProbeResult } from './probe.js';
import { SocketGuard, type GuardContext } from './socket-guard.js';
import type { Target, Verdict } from './verdict.js';

/** What {@link harden} returns: a hold on one hardened socket. */
export interface Guard {
  readonly socket: Socket;
  /** What was asked of the kernel and what it says holds; undefined until the socket is connected. */
  readonly settings: AppliedSettings | undefined;
  /** What the socket died of; undefined while it lives. */
  readonly verdict: Verdict | undefined;
  /** The other end; undefined until the socket is connected. */
  readonly target: Target | undefined;
  /** Milliseconds since the peer was last heard, its keepalive answers included; undefined where it can't be told. */
  readonly silence: number | undefined;
  /** Asks whether the path is alive, with no protocol byte; see {@link probe}. */
  probe(options?: ProbeOptions): Promise<ProbeResult>;
  /**
   * Puts everything back: kernel values, methods, listeners. A `setKeepAlive` call that was held back meanwhile takes
   * effect now. Idempotent; the socket may be hardened again.
   */
  release(): void;
}

class PublicGuard implements Guard {
  readonly #guard: SocketGuard;
  constructor(guard: SocketGuard) {
    this.#guard = guard;
  }
  get socket(): Socket {
    return this.#guard.socket;
  }
  get settings(): AppliedSettings | undefined {
    return this.#guard.settings;
  }
  get verdict(): Verdict | undefined {
    return this.#guard.verdict;
  }
  get target(): Target | undefined {
    return this.#guard.target;
  }
  get silence(): number | undefined {
    return this.#guard.silence;
  }
  probe(options?: ProbeOptions): Promise<ProbeResult> {
    return probeSocket(this.#guard.socket, this.#guard.context, options);
  }
  release(): void {
    this.#guard.release();
  }
}

/** Guards a socket; one already guarded takes the options given now. */
export function guardSocket(socket: Socket, options: ResolvedOptions, context: GuardContext): SocketGuard {
  const known = guardOf(socket);
  if (known === undefined) return new SocketGuard(socket, options, context);
  const isSettled = known.options === options && known.context.hooks === context.hooks;
  if (!isSettled || known.isReleased || known.verdict !== undefined) known.configure(options, context);
  return known;
}

/** @throws HoldfastError ERR_HOLDFAST_ARGUMENT when `socket` is not a net.Socket */
export function hardenSocket(socket: Socket, options: ResolvedOptions, context: GuardContext): Guard {
  requireSocket(socket, 'harden');
  return new PublicGuard(guardSocket(socket, options, context));
}

/** @throws HoldfastError ERR_HOLDFAST_ARGUMENT */
export function requireSocket(value: unknown, call: string): asserts value is Socket {
  if (value instanceof Socket) return;
  const got = value === null ? 'null' : typeof value;
  throw new HoldfastError(
    'ERR_HOLDFAST_ARGUMENT',
    `${call}() takes a net.Socket or tls.TLSSocket, and got ${got}`,
  );
}
