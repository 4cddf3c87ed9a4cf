import type { Clock, Timer } from '../clock.js';

/** How often the two clocks are compared. */
const TICK_MS = 10_000;
/** A gap shorter than this is a busy process, not a sleeping one. */
const GAP_MS = 5000;

/**
 * Notices that the process did not run for a while: a laptop was closed, a VM or a Lambda was frozen, the process was
 * stopped. Two signs: a timer fires much too late (the monotonic clock went on), or the wall clock moved much further
 * than the monotonic one (which stands still while the machine sleeps). One timer, which holds no process open.
 */
export class WakeWatch {
  readonly #clock: Clock;
  readonly #woke: (asleep: number) => void;
  readonly #tick: () => void;
  #timer: Timer | undefined;
  #now = 0;
  #wall = 0;

  /**
   * @param woke called with the milliseconds slept, as far as they can be told
   * @param tick called each time all was well
   */
  constructor(clock: Clock, woke: (asleep: number) => void, tick: () => void = () => undefined) {
    this.#clock = clock;
    this.#woke = woke;
    this.#tick = tick;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Idempotent. */
  start(): void {
    if (this.#timer === undefined) this.#arm();
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#now = this.#clock.now();
    this.#wall = this.#clock.wall();
    this.#timer = this.#clock.after(TICK_MS, () => this.#look());
  }

  #look(): void {
    const passed = this.#clock.now() - this.#now;
    const walled = this.#clock.wall() - this.#wall;
    const asleep = Math.max(passed - TICK_MS, walled - passed);
    this.#arm();
    if (asleep > GAP_MS) this.#woke(asleep);
    else this.#tick();
  }
}
