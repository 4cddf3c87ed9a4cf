import type { Clock, Timer } from '../clock.js';
import type { KernelSettings } from '../kernel/binding.js';
import type { TcpHandle } from '../kernel/handle.js';
import type { Kernel } from '../kernel/kernel.js';
import { TCP_CLOSE, type TcpInfo } from '../kernel/tcp-info.js';

/** How a probe ended. Milliseconds. */
export type ProbeOutcome =
  /** The peer's kernel, or a proxy's, acknowledged. */
  | { readonly outcome: 'alive'; readonly rtt: number }
  /** A reset came back. */
  | { readonly outcome: 'reset'; readonly info: TcpInfo | undefined }
  /** Nothing came back within the timeout. */
  | { readonly outcome: 'silent'; readonly waited: number; readonly info: TcpInfo | undefined }
  /** The socket was closed or released while the probe was under way. */
  | { readonly outcome: 'abandoned' };

export interface PathProbeOptions {
  readonly handle: TcpHandle;
  readonly kernel: Kernel;
  readonly clock: Clock;
  /** Milliseconds without an answer that mean dead; undefined derives it from the measured round trip. */
  readonly timeout: number | undefined;
  readonly done: (outcome: ProbeOutcome) => void;
}

const TIMEOUT_FLOOR_MS = 250;
const TIMEOUT_CEILING_MS = 3000;
const ROUND_TRIPS = 8;
/** One lost packet must not condemn a path: the kernel is asked this many times within the timeout. */
const ASKS = 3;
/** TCP_KEEPIDLE can't be lower, so a socket heard from less than this ago can't be probed yet. */
const SHORTEST_IDLE_MS = 1000;
const FIRST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 25;
/** While a probe is under way the kernel's own limits are out of the way: it is the probe that decides. */
const NO_LIMITS: Partial<KernelSettings> = { count: 127, userTimeout: 0, keepalive: true };

/** Milliseconds to wait for an answer on a path with this round trip: 8 of them, within 250 ms and 3 s. */
export function probeTimeoutFor(rtt: number): number {
  return Math.min(TIMEOUT_CEILING_MS, Math.max(TIMEOUT_FLOOR_MS, rtt * ROUND_TRIPS));
}

/**
 * Asks the kernel whether the path is alive, with no protocol byte: lowering TCP_KEEPIDLE below the time already idle
 * makes Linux send a keepalive at once (net/ipv4/tcp_timer.c). A living peer acknowledges it, which shows in
 * TCP_INFO; a NAT that forgot the flow resets it or stays silent. With data in flight the kernel sends no keepalive:
 * then the acknowledgement of that data is the answer.
 */
export class PathProbe {
  readonly #options: PathProbeOptions;
  readonly #startedAt: number;
  readonly #before: Partial<KernelSettings>;
  readonly #deadline: number;
  readonly #askEvery: number;
  #last: TcpInfo;
  #nextAsk: number;
  #look = FIRST_LOOK_MS;
  #timer: Timer | undefined;

  private constructor(options: PathProbeOptions, info: TcpInfo) {
    const { handle, kernel, clock } = options;
    this.#options = options;
    this.#last = info;
    this.#startedAt = clock.now();
    this.#before = kernel.read(handle) ?? {};
    const timeout = options.timeout ?? probeTimeoutFor(info.rtt);
    const wait = Math.max(0, SHORTEST_IDLE_MS - Math.min(info.lastAckRecv, info.lastDataRecv));
    this.#deadline = this.#startedAt + wait + timeout;
    this.#askEvery = timeout / ASKS;
    this.#nextAsk = this.#startedAt + wait + this.#askEvery;
    kernel.write(handle, NO_LIMITS);
    this.#ask();
    this.#lookAgain();
  }

  /**
   * Starts a probe. `done` is called once, never before this returns.
   * @returns undefined when the kernel can't be asked: no binding that reads, or no open descriptor
   */
  static start(options: PathProbeOptions): PathProbe | undefined {
    const info = options.kernel.tcpInfo(options.handle);
    return info === undefined ? undefined : new PathProbe(options, info);
  }

  /** Ends the probe from outside: the socket died of a reset, or was closed or released. */
  finish(outcome: ProbeOutcome): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const { handle, kernel, done } = this.#options;
    const { idle, ...rest } = this.#before;
    if (idle !== undefined) kernel.write(handle, { idle });
    kernel.write(handle, rest);
    done(outcome);
  }

  /** The newest TCP_INFO seen. */
  get info(): TcpInfo {
    return this.#last;
  }

  #ask(): void {
    this.#options.kernel.write(this.#options.handle, { idle: SHORTEST_IDLE_MS });
  }

  #lookAgain(): void {
    this.#timer = this.#options.clock.after(this.#look, () => this.#examine());
    this.#look = Math.min(LONGEST_LOOK_MS, this.#look * 2);
  }

  #examine(): void {
    const { handle, kernel, clock } = this.#options;
    const info = kernel.tcpInfo(handle);
    const now = clock.now();
    if (info === undefined) return this.finish({ outcome: 'abandoned' });
    const before = this.#last;
    this.#last = info;
    if (info.state === TCP_CLOSE) return this.finish({ outcome: 'reset', info });
    // Both counters only grow while nothing is heard, so a fall is news.
    const heard = Math.min(info.lastAckRecv, info.lastDataRecv);
    if (info.lastAckRecv < before.lastAckRecv || info.lastDataRecv < before.lastDataRecv) {
      return this.finish({ outcome: 'alive', rtt: Math.max(0, now - this.#startedAt - heard) });
    }
    if (now >= this.#deadline) {
      return this.finish({ outcome: 'silent', waited: now - this.#startedAt, info });
    }
    if (now >= this.#nextAsk) {
      this.#nextAsk += this.#askEvery;
      this.#ask();
    }
    return this.#lookAgain();
  }
}
