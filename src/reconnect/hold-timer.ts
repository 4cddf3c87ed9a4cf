import type { Clock, Timer } from '../clock.js';

/** A timer whose hold on the process can be changed while it runs. */
export class HoldTimer {
  readonly #clock: Clock;
  readonly #fn: () => void;
  readonly #due: number;
  #timer: Timer;
  #isOver = false;

  constructor(clock: Clock, ms: number, fn: () => void, hold: boolean) {
    this.#clock = clock;
    this.#fn = fn;
    this.#due = clock.now() + ms;
    this.#timer = this.#start(ms, hold);
  }

  /** `hold`: whether the process stays alive for it from now on. */
  setHold(hold: boolean): void {
    if (this.#isOver) return;
    this.#timer.cancel();
    this.#timer = this.#start(Math.max(0, this.#due - this.#clock.now()), hold);
  }

  cancel(): void {
    this.#isOver = true;
    this.#timer.cancel();
  }

  #start(ms: number, hold: boolean): Timer {
    const fire = (): void => {
      this.#isOver = true;
      this.#fn();
    };
    return this.#clock.after(ms, fire, { hold });
  }
}
