import type { Clock, Timer } from '../../src/clock.js';

interface Entry {
  at: number;
  readonly ms: number;
  readonly fn: () => void;
  readonly hold: boolean;
}

/** A clock that moves only when told to. Timers fire in the order of their times. */
export class FakeClock implements Clock {
  #now = 1_000;
  readonly #entries = new Set<Entry>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(ms: number, fn: () => void, options?: { hold?: boolean }): Timer {
    const entry: Entry = { at: this.#now + ms, ms, fn, hold: options?.hold ?? false };
    this.#entries.add(entry);
    return {
      cancel: () => void this.#entries.delete(entry),
      restart: () => {
        if (!this.#entries.has(entry)) return false;
        entry.at = this.#now + entry.ms;
        return true;
      },
    };
  }

  /** Moves time on, firing what falls due on the way. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#entries].filter(entry => entry.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#entries.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.fn();
    }
    this.#now = until;
  }

  /** The delays of the timers that are set, soonest first. */
  get pending(): readonly { readonly in: number; readonly hold: boolean }[] {
    return [...this.#entries]
      .map(({ at, hold }) => ({ in: at - this.#now, hold }))
      .sort((a, b) => a.in - b.in);
  }
}
