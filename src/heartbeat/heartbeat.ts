import type { Clock, Timer } from '../clock.js';

/** What a heartbeat needs of the connection it serves. */
export interface HeartbeatPort {
  /** Whether a beat can go out now: not while other data waits to be sent, a handshake runs or the writer has ended. */
  ready?(): boolean;
  /** Sends one beat. */
  send(): void;
  /** Milliseconds since the connection got a byte, those the heartbeat was not told of included; Infinity: not known. */
  silence?(): number;
  /** No byte came back in time. Called once; the heartbeat has stopped. */
  giveUp(waited: number): void;
  /** `send` or `receive` threw. Called once; the heartbeat has stopped. Without it the exception goes on. */
  fail?(error: Error): void;
  /** A beat was answered. `rtt` is milliseconds from the beat to the first byte received after it. */
  report?(rtt: number): void;
}

export interface HeartbeatOptions {
  /** Milliseconds of silence from the peer before a beat. */
  readonly interval: number;
  /** Milliseconds the peer has to answer with any byte. */
  readonly timeout: number;
  /** Takes replies out of what is received: `'consumed'`, what is left, or nothing to leave the chunk as it is. */
  readonly receive?: ((chunk: Buffer) => 'consumed' | Buffer | undefined) | undefined;
}

type State =
  | { readonly name: 'idle'; readonly timer: Timer }
  | { readonly name: 'waiting'; readonly timer: Timer; readonly sentAt: number }
  | { readonly name: 'stopped' };

/** The kernel's stamps are this coarse: a byte received right after a beat can look that much older. */
const STAMP_MS = 10;
const EMPTY = Buffer.alloc(0);

/**
 * Beats only when the peer has been silent for the interval, with one beat outstanding at most. Any received byte
 * counts as life; sending proves nothing. A received byte costs one store: the timer is not touched, it looks at the
 * stamp when it fires.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #options: HeartbeatOptions;
  readonly #port: HeartbeatPort;
  #heardAt: number;
  /** Replies still to be taken out: any byte answers a beat, but its reply can come after that byte. */
  #owed = 0;
  #state: State;

  constructor(clock: Clock, options: HeartbeatOptions, port: HeartbeatPort) {
    this.#clock = clock;
    this.#options = options;
    this.#port = port;
    this.#heardAt = clock.now();
    this.#state = this.#idle(options.interval);
  }

  /** True while a beat is unanswered. */
  get isWaiting(): boolean {
    return this.#state.name === 'waiting';
  }

  /** To be called for every chunk received, where replies are not taken out by {@link received}. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#answered();
  }

  /** To be called for every chunk received. @returns what the reader is to get of it, empty for nothing */
  received(chunk: Buffer): Buffer {
    if (this.#state.name === 'stopped') return chunk;
    const { receive } = this.#options;
    let rest: 'consumed' | Buffer | undefined;
    if (this.#owed > 0 && receive !== undefined) {
      try {
        rest = receive(chunk);
      } catch (error) {
        this.#fail(error);
        return chunk;
      }
      if (rest !== undefined) this.#owed -= 1;
    }
    this.heard();
    return rest === 'consumed' ? EMPTY : (rest ?? chunk);
  }

  /** Idempotent. */
  stop(): void {
    if (this.#state.name !== 'stopped') this.#state.timer.cancel();
    this.#state = { name: 'stopped' };
  }

  #answered(): void {
    if (this.#state.name !== 'waiting') return;
    const { sentAt, timer } = this.#state;
    timer.cancel();
    this.#state = this.#idle(this.#options.interval);
    this.#port.report?.(this.#heardAt - sentAt);
  }

  #idle(delay: number): State {
    return { name: 'idle', timer: this.#clock.after(delay, () => this.#beatIfSilent()) };
  }

  #beatIfSilent(): void {
    if (this.#state.name !== 'idle') return;
    const now = this.#clock.now();
    const { interval, timeout } = this.#options;
    if (this.#silence(now) >= interval)
      this.#heardAt = Math.max(this.#heardAt, now - (this.#port.silence?.() ?? Infinity));
    const left = interval - this.#silence(now);
    if (left > 0 || this.#port.ready?.() === false) {
      this.#state = this.#idle(left > 0 ? left : interval);
      return;
    }
    const timer = this.#clock.after(timeout, () => this.#expire(now));
    // Committed before sending: an answer may come from inside send().
    this.#state = { name: 'waiting', timer, sentAt: now };
    this.#owed += 1;
    try {
      this.#port.send();
    } catch (error) {
      this.#fail(error);
    }
  }

  #expire(sentAt: number): void {
    if (this.#state.name !== 'waiting') return;
    const now = this.#clock.now();
    const silence = this.#port.silence?.() ?? Infinity;
    if (now - silence > sentAt - Math.min(STAMP_MS, this.#options.interval / 2)) {
      this.#heardAt = now - silence;
      this.#state = this.#idle(Math.max(1, this.#options.interval - silence));
      return;
    }
    this.stop();
    this.#port.giveUp(now - sentAt);
  }

  #silence(now: number): number {
    return now - this.#heardAt;
  }

  #fail(error: unknown): void {
    this.stop();
    if (this.#port.fail === undefined) throw error;
    this.#port.fail(error instanceof Error ? error : new Error(`a heartbeat hook threw ${String(error)}`));
  }
}
