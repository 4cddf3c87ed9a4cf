import type { Clock, Timer } from '../clock.js';
import type { KernelSettings } from '../kernel/binding.js';
import type { TcpHandle } from '../kernel/handle.js';
import type { Kernel } from '../kernel/kernel.js';
import { TCP_CLOSE, type TcpInfo } from '../kernel/tcp-info.js';

/** How a probe ended. Milliseconds. */
export type ProbeOutcome =
  /** The peer's kernel, or a proxy's, was heard. */
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
  /**
   * The record by which the caller found the path silent, just now. Read once more it may show that a keepalive of the
   * kernel's own was answered meanwhile: such a path can't be asked for a second, though nothing is left to ask.
   */
  readonly seen?: TcpInfo | undefined;
}

type Listener = (outcome: ProbeOutcome) => void;

const TIMEOUT_FLOOR_MS = 250;
const TIMEOUT_CEILING_MS = 3000;
/** With data in flight its acknowledgement is the answer, and a lost segment is sent again only after 200 ms or more. */
const TIMEOUT_FLOOR_IN_FLIGHT_MS = 1000;
const ROUND_TRIPS = 8;
/** One lost packet must not condemn a path: the kernel is asked this many times within the timeout. */
const ASKS = 3;
/** TCP_KEEPIDLE can't be lower, so a socket heard from less than this ago can't be probed yet. */
const SHORTEST_IDLE_MS = 1000;
const FIRST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 25;
/** The kernel's stamps are this coarse (one jiffy at 100 Hz): a smaller difference is no news. */
const STAMP_MS = 10;
/** While a probe is under way the kernel's own limits are out of the way: it is the probe that decides. */
const NO_LIMITS: Partial<KernelSettings> = { count: 127, userTimeout: 0, keepalive: true };

/** Milliseconds to wait for an answer on a path with this round trip: 8 of them, within 250 ms and 3 s. */
export function probeTimeoutFor(rtt: number): number {
  return Math.min(TIMEOUT_CEILING_MS, Math.max(TIMEOUT_FLOOR_MS, rtt * ROUND_TRIPS));
}

/** Milliseconds since the peer was last heard, its keepalive answers included. */
export function silenceOf(info: TcpInfo): number {
  return Math.min(info.lastAckRecv, info.lastDataRecv);
}

/** One probe a handle: two at once would each take the other's lowered settings for the ones to restore. */
const underWay = new WeakMap<TcpHandle, PathProbe>();

/**
 * Asks the kernel whether the path is alive, with no protocol byte: lowering TCP_KEEPIDLE below the time already idle
 * makes Linux send a keepalive at once (net/ipv4/tcp_timer.c). A living peer acknowledges it, which shows in
 * TCP_INFO; a NAT that forgot the flow resets it or stays silent. With data in flight the kernel sends no keepalive:
 * then the acknowledgement of that data is the answer.
 */
export class PathProbe {
  readonly #handle: TcpHandle;
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #startedAt: number;
  /** When the kernel could first send: at once, or when the last second with traffic is over. */
  readonly #askedAt: number;
  readonly #heardAt: number;
  readonly #patience: number;
  readonly #listeners: Listener[] = [];
  #before: Partial<KernelSettings>;
  #last: TcpInfo;
  #asksLeft = ASKS - 1;
  #answerBy: number;
  #look = FIRST_LOOK_MS;
  #hold = false;
  #timer: Timer | undefined;

  private constructor({ handle, kernel, clock, timeout }: PathProbeOptions, info: TcpInfo) {
    this.#handle = handle;
    this.#kernel = kernel;
    this.#clock = clock;
    this.#last = info;
    this.#startedAt = clock.now();
    const silence = silenceOf(info);
    this.#heardAt = this.#startedAt - silence;
    this.#askedAt = this.#startedAt + Math.max(0, SHORTEST_IDLE_MS - silence);
    const floor = info.unacked > 0 ? TIMEOUT_FLOOR_IN_FLIGHT_MS : 0;
    this.#patience = (timeout ?? Math.max(floor, probeTimeoutFor(info.rtt))) / ASKS;
    this.#answerBy = this.#askedAt + this.#patience;
    this.#before = kernel.read(handle) ?? {};
    this.#lower();
    this.#lookAgain();
  }

  /**
   * Joins the probe under way on this handle, or starts one. `done` is called once, never before this returns.
   * @returns undefined when the kernel can't be asked: no binding that reads, or no open descriptor
   */
  static ask(options: PathProbeOptions, done: Listener): PathProbe | undefined {
    let probe = underWay.get(options.handle);
    if (probe === undefined) {
      // The record first, then the clock: whatever comes between the two makes the peer look heard later than it was,
      // which can only delay an answer. Looking goes the other way round, for the same reason.
      const info = options.seen ?? options.kernel.tcpInfo(options.handle);
      if (info === undefined) return undefined;
      probe = new PathProbe(options, info);
      underWay.set(options.handle, probe);
    }
    probe.#listeners.push(done);
    return probe;
  }

  /** Runs `change`, which sets the handle's kernel settings for good, with a probe's lowered ones out of its way. */
  static around<T>(handle: TcpHandle, change: () => T): T {
    const probe = underWay.get(handle);
    if (probe === undefined) return change();
    probe.#restore();
    try {
      return change();
    } finally {
      probe.#before = probe.#kernel.read(handle) ?? {};
      probe.#lower();
    }
  }

  /** From now on the probe holds the process open: a write waits for it, and a write in the kernel would too. */
  holdOpen(): void {
    if (this.#hold || this.#timer === undefined) return;
    this.#hold = true;
    this.#timer.cancel();
    this.#lookAgain();
  }

  /** Ends the probe from outside: the socket died of a reset, or was closed or released. Idempotent. */
  finish(outcome: ProbeOutcome): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    underWay.delete(this.#handle);
    this.#restore();
    for (const listener of this.#listeners) listener(outcome);
  }

  /** Milliseconds the peer had been silent when the probe began. */
  get silence(): number {
    return this.#startedAt - this.#heardAt;
  }

  /** The newest TCP_INFO seen. */
  get info(): TcpInfo {
    return this.#last;
  }

  #lower(): void {
    this.#kernel.write(this.#handle, NO_LIMITS);
    this.#askNow();
  }

  #askNow(): void {
    this.#kernel.write(this.#handle, { idle: SHORTEST_IDLE_MS });
  }

  /** The idle time first: it re-arms the timer, which must not fire with the low count and the long silence. */
  #restore(): void {
    const { idle, ...rest } = this.#before;
    if (idle !== undefined) this.#kernel.write(this.#handle, { idle });
    this.#kernel.write(this.#handle, rest);
  }

  #lookAgain(): void {
    this.#timer = this.#clock.after(this.#look, () => this.#examine(), { hold: this.#hold });
    this.#look = Math.min(LONGEST_LOOK_MS, this.#look * 2);
  }

  #examine(): void {
    const now = this.#clock.now();
    const info = this.#kernel.tcpInfo(this.#handle);
    if (info === undefined) return this.finish({ outcome: 'abandoned' });
    const before = this.#last;
    this.#last = info;
    if (info.state === TCP_CLOSE) return this.finish({ outcome: 'reset', info });
    const heardAt = now - silenceOf(info);
    if (this.#isNews(before, info) || heardAt > this.#heardAt + STAMP_MS) {
      // Heard before the kernel could ask, the answer was somebody's traffic: the kernel's own estimate has to do.
      const rtt = heardAt >= this.#askedAt ? heardAt - this.#askedAt : info.rtt;
      return this.finish({ outcome: 'alive', rtt });
    }
    // Asked again and waited for in full even where a busy loop slept through the whole timeout.
    if (now >= this.#answerBy) {
      if (this.#asksLeft === 0) {
        return this.finish({ outcome: 'silent', waited: now - this.#startedAt, info });
      }
      this.#asksLeft -= 1;
      this.#answerBy = now + this.#patience;
      this.#askNow();
    }
    return this.#lookAgain();
  }

  /** All of these only grow while nothing is heard, or only while something is. */
  #isNews(before: TcpInfo, info: TcpInfo): boolean {
    return (
      info.lastAckRecv < before.lastAckRecv ||
      info.lastDataRecv < before.lastDataRecv ||
      info.bytesReceived !== before.bytesReceived ||
      info.bytesAcked !== before.bytesAcked
    );
  }
}
