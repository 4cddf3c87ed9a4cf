import type { Clock, Timer } from '../clock.js';
import { HoldfastError } from '../errors.js';

/** What beats need of the client they serve. */
export interface BeatPort {
  isIdle(): boolean;
  /** Sends one beat and settles with its answer. */
  beat(): PromiseLike<unknown>;
  /** Bytes received so far, where it is known: growth is a sign of life even while the answer is due. */
  received?(): number | undefined;
  /** No answer and no byte in time. Called once; the beats have stopped. */
  giveUp(waited: number): void;
}

export interface BeatTimes {
  /** Milliseconds without use after which a beat is sent. */
  readonly interval: number;
  /** Milliseconds the server has to answer. */
  readonly timeout: number;
}

/** Long enough for the event loop to turn, and with that to read every socket. */
export const LAST_LOOK_MS = 10;

type State =
  | { readonly name: 'resting'; readonly timer: Timer }
  | {
      readonly name: 'beating';
      timer: Timer;
      readonly sentAt: number;
      heard: number | undefined;
      isLastLook: boolean;
    }
  | { readonly name: 'stopped' };

/**
 * Requests of the driver's own protocol on a client that nobody uses. Never behind running work, where a beat would
 * wait for it and look unanswered, and never two at once.
 */
export class IdleBeat {
  readonly #clock: Clock;
  readonly #times: BeatTimes;
  readonly #port: BeatPort;
  #usedAt: number;
  #state: State;

  constructor(clock: Clock, times: BeatTimes, port: BeatPort) {
    this.#clock = clock;
    this.#times = times;
    this.#port = port;
    this.#usedAt = clock.now();
    this.#state = this.#rest(times.interval);
  }

  /** The client was used just now: the interval begins again. Costs one store. */
  used(): void {
    this.#usedAt = this.#clock.now();
  }

  /** Idempotent. */
  stop(): void {
    if (this.#state.name !== 'stopped') this.#state.timer.cancel();
    this.#state = { name: 'stopped' };
  }

  #rest(delay: number): State {
    return { name: 'resting', timer: this.#clock.after(delay, () => this.#beatIfIdle()) };
  }

  #beatIfIdle(): void {
    const { interval, timeout } = this.#times;
    if (!this.#port.isIdle()) this.used();
    const left = interval - (this.#clock.now() - this.#usedAt);
    if (left > 0) {
      this.#state = this.#rest(left);
      return;
    }
    const beating: State = {
      name: 'beating',
      timer: this.#clock.after(timeout, () => this.#expire()),
      sentAt: this.#clock.now(),
      heard: this.#port.received?.(),
      isLastLook: false,
    };
    this.#state = beating;
    // A refusal is an answer too. A client that died meanwhile has stopped us.
    const answered = (): void => {
      if (this.#state !== beating) return;
      beating.timer.cancel();
      this.used();
      this.#state = this.#rest(interval);
    };
    void sendBeat(this.#port).then(answered, answered);
  }

  #expire(): void {
    const state = this.#state;
    if (state.name !== 'beating') return;
    const heard = this.#port.received?.();
    if (heard !== undefined && heard !== state.heard) {
      state.heard = heard;
      state.isLastLook = false;
      state.timer = this.#clock.after(this.#times.timeout, () => this.#expire());
      return;
    }
    // A program that was busy for long finds its timers due before it has read what came meanwhile.
    if (!state.isLastLook) {
      state.isLastLook = true;
      state.timer = this.#clock.after(LAST_LOOK_MS, () => this.#expire());
      return;
    }
    this.#state = { name: 'stopped' };
    this.#port.giveUp(this.#clock.now() - state.sentAt);
  }
}

async function sendBeat(port: BeatPort): Promise<void> {
  await port.beat();
}

/** What a client dies of that did not answer a beat. */
export function unansweredError(waited: number): HoldfastError {
  const message = `the server did not answer a heartbeat within ${Math.round(waited)} ms`;
  return new HoldfastError('ERR_HOLDFAST_HEARTBEAT_TIMEOUT', message);
}
