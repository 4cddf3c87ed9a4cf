import pRetry, { AbortError } from 'p-retry';
import type { Clock } from '../clock.js';
import type { ResolvedReconnect } from '../options/types.js';
import { backoffDelay } from './backoff.js';
import { HoldTimer } from './hold-timer.js';

/** One failed attempt. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly delay: number;
  readonly error: Error;
}

export interface AttemptsOptions {
  readonly clock: Clock;
  readonly policy: ResolvedReconnect;
  readonly random: () => number;
  /** A first connect starts at once; an outage's first attempt is spread over `minTimeout`. */
  readonly of: 'first-connect' | 'outage';
  readonly holdsProcess: boolean;
  /** Makes one attempt: connects, and resumes the session. Must settle soon after it is told to give up. */
  readonly attempt: (attempt: number, delay: number) => Promise<void>;
  /** Hears of a failure. @returns whether another attempt makes sense */
  readonly failed: (failure: FailedAttempt) => boolean;
}

export type AttemptsOutcome =
  | { readonly outcome: 'connected' }
  /** `exhausted`: another attempt would have made sense, and the retries are spent. */
  | {
      readonly outcome: 'failed';
      readonly error: Error;
      readonly attempts: number;
      readonly exhausted: boolean;
    }
  | { readonly outcome: 'stopped' };

/** The attempts of one outage, or of the first connect. p-retry counts them; the waiting is ours. */
export class Attempts {
  readonly #options: AttemptsOptions;
  #wait: { readonly timer: HoldTimer; readonly abandon: (reason: Error) => void } | undefined;
  #holdsProcess: boolean;
  #isStopped = false;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#holdsProcess = options.holdsProcess;
  }

  /** Runs until an attempt succeeds or there is no further one. Never rejects. The first try starts synchronously. */
  async run(): Promise<AttemptsOutcome> {
    const { policy, failed } = this.#options;
    const last = { attempt: 0, delay: 0, another: false };
    try {
      await pRetry(
        attempt => {
          last.attempt = attempt;
          last.delay = this.#delayBefore(attempt);
          return this.#attempt(attempt, last.delay);
        },
        {
          retries: policy.retries,
          // The waiting is done in #attempt, on the library's clock and with jitter after the cap.
          minTimeout: 0,
          onFailedAttempt: ({ error }) => {
            if (this.#isStopped) return;
            last.another = failed({ attempt: last.attempt, delay: last.delay, error });
          },
          shouldRetry: () => last.another && !this.#isStopped,
        },
      );
      return this.#isStopped ? { outcome: 'stopped' } : { outcome: 'connected' };
    } catch (error) {
      if (this.#isStopped) return { outcome: 'stopped' };
      return { outcome: 'failed', error: error as Error, attempts: last.attempt, exhausted: last.another };
    }
  }

  /** No further attempt. The one under way is its owner's to end. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    const wait = this.#wait;
    this.#wait = undefined;
    wait?.timer.cancel();
    wait?.abandon(new AbortError('stopped'));
  }

  /** Whether waiting for the next attempt keeps the process alive. */
  setHold(holdsProcess: boolean): void {
    this.#holdsProcess = holdsProcess;
    this.#wait?.timer.setHold(holdsProcess);
  }

  #delayBefore(attempt: number): number {
    const { of, policy, random } = this.#options;
    if (of === 'outage') return backoffDelay(attempt - 1, policy, random);
    return attempt === 1 ? 0 : backoffDelay(attempt - 2, policy, random);
  }

  #attempt(attempt: number, delay: number): Promise<void> {
    if (this.#options.of === 'first-connect' && attempt === 1) return this.#options.attempt(attempt, delay);
    const waited = new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#wait = undefined;
        resolve();
      };
      const timer = new HoldTimer(this.#options.clock, delay, done, this.#holdsProcess);
      this.#wait = { timer, abandon: reject };
    });
    return waited.then(() => {
      if (this.#isStopped) throw new AbortError('stopped');
      return this.#options.attempt(attempt, delay);
    });
  }
}
