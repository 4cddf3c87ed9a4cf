/**
 * The library's only source of time. Everything that measures or waits takes a `Clock`, so that unit tests
 * run on a fake one and never sleep.
 */
export interface Clock {
  /** Monotonic milliseconds, with fractions. Only differences mean anything. */
  now(): number;
  /** Milliseconds since the epoch: for what a person reads, never for measuring. */
  wall(): number;
  /** Calls `fn` once after `ms`. A timer made here never holds the process open unless `hold` says so. */
  after(ms: number, fn: () => void, options?: { hold?: boolean }): Timer;
}

export interface Timer {
  /** Idempotent. */
  cancel(): void;
  /** Starts the full delay again; false when the timer has fired or was cancelled. */
  restart(): boolean;
}

/** Node's longest timer; a longer delay would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | undefined;
  constructor(ms: number, fn: () => void, hold: boolean) {
    this.#handle = setTimeout(
      () => {
        this.#handle = undefined;
        fn();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    if (!hold) this.#handle.unref();
  }
  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
  restart(): boolean {
    if (this.#handle === undefined) return false;
    this.#handle.refresh();
    return true;
  }
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, fn, options) => new SystemTimer(ms, fn, options?.hold ?? false),
};
