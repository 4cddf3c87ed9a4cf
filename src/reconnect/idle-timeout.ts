import type { Clock, Timer } from '../clock.js';
import { HoldfastError } from '../errors.js';

/** net.Socket's `setTimeout`, over all generations: it runs through an outage. */
export class IdleTimeout {
  readonly ms: number;
  readonly #clock: Clock;
  readonly #expired: () => void;
  #timer: Timer;

  /** @param expired called after `ms` without activity; once, until there is activity again */
  constructor(clock: Clock, ms: number, expired: () => void) {
    this.ms = ms;
    this.#clock = clock;
    this.#expired = expired;
    this.#timer = clock.after(ms, expired);
  }

  /** Bytes were read or written. */
  touch(): void {
    if (!this.#timer.restart()) this.#timer = this.#clock.after(this.ms, this.#expired);
  }

  cancel(): void {
    this.#timer.cancel();
  }
}

/** @throws HoldfastError ERR_HOLDFAST_ARGUMENT */
export function requireTimeout(ms: unknown): asserts ms is number {
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return;
  const message = `setTimeout() takes milliseconds of at least 0, and got ${String(ms)}`;
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
}
