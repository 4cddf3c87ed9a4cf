import type { Clock } from '../clock.js';
import { HoldTimer } from './hold-timer.js';

export interface TrialOptions {
  readonly attempt: number;
  readonly delay: number;
  readonly clock: Clock;
  readonly deadline: number;
  readonly holdsProcess: boolean;
  readonly expired: () => void;
}

/** One attempt under way: its deadline, and the promise p-retry waits for. */
export class Trial {
  readonly attempt: number;
  readonly delay: number;
  readonly settled: Promise<void>;
  /** What it is doing, for the error that says it took too long. */
  phase: 'connect' | 'resume' = 'connect';
  readonly #timer: HoldTimer;
  #resolve: () => void = nothing;
  #reject: (error: Error) => void = nothing;

  constructor({ attempt, delay, clock, deadline, holdsProcess, expired }: TrialOptions) {
    this.attempt = attempt;
    this.delay = delay;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = new HoldTimer(clock, deadline, expired, holdsProcess);
  }

  setHold(holdsProcess: boolean): void {
    this.#timer.setHold(holdsProcess);
  }

  succeed(): void {
    this.#timer.cancel();
    this.#resolve();
  }

  fail(error: Error): void {
    this.#timer.cancel();
    this.#reject(error);
  }
}

function nothing(): void {
  // Replaced before anybody can call it: the promise's executor runs at once.
}
