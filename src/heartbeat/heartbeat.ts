import type { Clock, Timer } from '../clock.js';

/** What a heartbeat needs of the connection it serves. */
export interface HeartbeatPort {
  /** Sends one beat. */
  send(): void;
  /** No byte came back in time. Called once; the heartbeat has stopped. */
  giveUp(waited: number): void;
  /** A beat was answered. `rtt` is milliseconds from the beat to the first byte received after it. */
  report?(rtt: number): void;
}

export interface HeartbeatTimes {
  /** Milliseconds of silence from the peer before a beat. */
  readonly interval: number;
  /** Milliseconds the peer has to answer with any byte. */
  readonly timeout: number;
}

type State =
  | { readonly name: 'idle'; readonly timer: Timer }
  | { readonly name: 'waiting'; readonly timer: Timer; readonly sentAt: number }
  | { readonly name: 'stopped' };

/**
 * Beats only when the peer has been silent for the interval, with one beat outstanding at most. Any received byte
 * counts as life; sending proves nothing. A received byte costs one store: the timer is not touched, it looks at the
 * stamp when it fires.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #times: HeartbeatTimes;
  readonly #port: HeartbeatPort;
  #heardAt: number;
  #state: State;

  constructor(clock: Clock, times: HeartbeatTimes, port: HeartbeatPort) {
    this.#clock = clock;
    this.#times = times;
    this.#port = port;
    this.#heardAt = clock.now();
    this.#state = this.#idle(times.interval);
  }

  /** True while a beat is unanswered. */
  get isWaiting(): boolean {
    return this.#state.name === 'waiting';
  }

  /** To be called for every chunk received. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    if (this.#state.name !== 'waiting') return;
    const { sentAt, timer } = this.#state;
    timer.cancel();
    this.#state = this.#idle(this.#times.interval);
    this.#port.report?.(this.#heardAt - sentAt);
  }

  /** Idempotent. */
  stop(): void {
    if (this.#state.name !== 'stopped') this.#state.timer.cancel();
    this.#state = { name: 'stopped' };
  }

  #idle(delay: number): State {
    return { name: 'idle', timer: this.#clock.after(delay, () => this.#beatIfSilent()) };
  }

  #beatIfSilent(): void {
    if (this.#state.name !== 'idle') return;
    const now = this.#clock.now();
    const left = this.#times.interval - (now - this.#heardAt);
    if (left > 0) {
      this.#state = this.#idle(left);
      return;
    }
    const timer = this.#clock.after(this.#times.timeout, () => this.#expire(now));
    // Committed before sending: an answer may come from inside send().
    this.#state = { name: 'waiting', timer, sentAt: now };
    this.#port.send();
  }

  #expire(sentAt: number): void {
    if (this.#state.name !== 'waiting') return;
    this.#state = { name: 'stopped' };
    this.#port.giveUp(this.#clock.now() - sentAt);
  }
}
