import { Socket } from 'node:net';
import { systemClock, type Clock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import { debug } from '../events/debug.js';
import { SafeEmitter } from '../events/safe-emitter.js';
import { retryNeverSent } from '../guard/retry-never-sent.js';
import { verdictOf } from '../guard/verdict-of.js';
import type { Verdict } from '../guard/verdict.js';
import { withOptions } from '../options/resolve.js';
import type { ResolvedReconnect } from '../options/types.js';
import { Attempts, type AttemptsOutcome } from '../reconnect/attempts.js';
import { reconnectsAfter } from '../reconnect/policy.js';
import { resolveDriverOptions } from './driver-options.js';
import { IdleBeat, type BeatTimes, unansweredError } from './idle-beat.js';
import { openClient, type WatchedClient } from './open-client.js';
import type { RunOptions, Supervised, SupervisedEvents, SuperviseOptions } from './supervise.js';

/** What is remembered of a loss until the next client is in use. */
interface Outage {
  readonly verdict: Verdict | undefined;
  readonly since: number;
}

type State<C extends object> =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly watched: WatchedClient<C>; readonly beat: IdleBeat | undefined }
  | { readonly name: 'reopening'; readonly outage: Outage }
  | { readonly name: 'closed'; readonly error: unknown };

interface Waiter<C> {
  readonly resolve: (client: C) => void;
  readonly reject: (error: unknown) => void;
}

export interface SupervisorParts {
  readonly clock: Clock;
  readonly random: () => number;
}

// The one place a supervised session's randomness comes from; tests give their own.
// eslint-disable-next-line no-restricted-properties
const SYSTEM: SupervisorParts = { clock: systemClock, random: Math.random };
/** A client that has not ended by then is cut off. */
const END_MS = 5000;

/** See {@link Supervised}. */
export class Supervisor<C extends object> extends SafeEmitter<SupervisedEvents> implements Supervised<C> {
  readonly #options: SuperviseOptions<C>;
  readonly #parts: SupervisorParts;
  readonly #policy: ResolvedReconnect;
  readonly #beat: BeatTimes | undefined;
  readonly #waiters = new Set<Waiter<C>>();
  #state: State<C> = { name: 'opening' };
  #generation = 0;
  #running = 0;
  #attempts: Attempts | undefined;
  #limit = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: SuperviseOptions<C>, parts: SupervisorParts = SYSTEM) {
    super();
    if (typeof options.open !== 'function') {
      const message = `supervise: open must be a function, and is ${typeof options.open}`;
      throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
    }
    const { heartbeat, reconnect } = options;
    const { beat, holdfast } = resolveDriverOptions({ heartbeat, holdfast: options.holdfast });
    this.#options = options;
    this.#parts = parts;
    this.#beat = beat;
    const asked = { ...reconnect, on: reconnect?.on ?? 'any' };
    this.#policy = withOptions(holdfast.options, { reconnect: asked }).reconnect;
    this.#start('first-connect');
  }

  get state(): State<C>['name'] {
    return this.#state.name;
  }

  get current(): C | undefined {
    return this.#state.name === 'open' ? this.#state.watched.client : undefined;
  }

  get generation(): number {
    return this.#generation;
  }

  async run<T>(fn: (client: C) => T | PromiseLike<T>, options: RunOptions = {}): Promise<T> {
    if (typeof fn !== 'function') {
      throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', `run takes a function, and got ${typeof fn}`);
    }
    // Taken before the clock of the first try starts: the bytes of a handshake are not fn's.
    let first: C | undefined = await this.#acquire();
    return retryNeverSent(async () => {
      const client = first ?? (await this.#acquire());
      first = undefined;
      return this.#use(client, fn);
    }, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isClosed(): boolean {
    return this.#state.name === 'closed';
  }

  async #use<T>(client: C, fn: (client: C) => T | PromiseLike<T>): Promise<T> {
    this.#running += 1;
    try {
      return await fn(client);
    } catch (error) {
      // The next try must not get the same client, even where its driver is slow to tell.
      if (this.#stream(client)?.destroyed === true) this.#lost(client, error);
      throw error;
    } finally {
      this.#running -= 1;
      if (this.#state.name === 'open') this.#state.beat?.used();
    }
  }

  #acquire(): Promise<C> {
    const state = this.#state;
    switch (state.name) {
      case 'open':
        return Promise.resolve(state.watched.client);
      case 'closed':
        return Promise.reject(closedError(state.error));
      case 'opening':
      case 'reopening':
        return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
    }
  }

  #start(of: 'first-connect' | 'outage'): void {
    const attempts = new Attempts({
      ...this.#parts,
      policy: this.#policy,
      of,
      holdsProcess: true,
      attempt: (attempt, delay) => this.#attempt(attempt, delay),
      failed: failure => {
        this.announce('attempted', failure);
        return of === 'outage';
      },
    });
    this.#attempts = attempts;
    void attempts.run().then(outcome => this.#gaveUp(of, outcome));
  }

  async #attempt(attempt: number, delay: number): Promise<void> {
    const { open, resume, adapter } = this.#options;
    const outage = this.#state.name === 'reopening' ? this.#state.outage : undefined;
    const generation = this.#generation + 1;
    this.#limit = new AbortController();
    const watched = await openClient({
      open,
      resume:
        outage === undefined || resume === undefined
          ? undefined
          : client => resume(client, { verdict: outage.verdict, generation }),
      adapter,
      generation,
      deadline: this.#policy.deadline,
      clock: this.#parts.clock,
      limit: this.#limit,
      discard: client => void this.#end(client),
    });
    // Closed while the last promises settled: closing wins.
    if (this.#isClosed) {
      watched.stop();
      void this.#end(watched.client);
      throw closedError();
    }
    this.#generation = generation;
    this.#state = { name: 'open', watched, beat: this.#startBeat(watched.client) };
    this.#settleWaiters(waiter => waiter.resolve(watched.client));
    this.announce('attempted', { attempt, delay });
    if (outage !== undefined) {
      const downtime = this.#parts.clock.now() - outage.since;
      this.announce('resumed', { generation, verdict: outage.verdict, downtime });
    }
    watched.onLost(error => this.#lost(watched.client, error));
  }

  #lost(client: C, error: unknown): void {
    const state = this.#state;
    if (state.name !== 'open' || state.watched.client !== client) return;
    const stream = this.#stream(client);
    const verdict = verdictOf(error) ?? (stream instanceof Socket ? verdictOf(stream) : undefined);
    state.watched.stop();
    state.beat?.stop();
    const decision = this.#decide(error, verdict);
    this.#state = decision.reopens
      ? { name: 'reopening', outage: { verdict, since: this.#parts.clock.now() } }
      : { name: 'closed', error: decision.error };
    void this.#end(client);
    if (decision.reopens) this.#start('outage');
    this.announce('lost', { generation: this.#generation, verdict, error });
    if (!decision.reopens) this.announce('closed', { error: decision.error });
  }

  #decide(error: unknown, verdict: Verdict | undefined): { reopens: boolean; error: unknown } {
    const { on } = this.#policy;
    // Ended by its user: that was meant.
    if (error === undefined) return { reopens: false, error };
    try {
      // What is not known was not shown to be the NAT.
      const reopens =
        verdict === undefined && typeof on === 'string'
          ? on === 'any'
          : reconnectsAfter(on, verdict as Verdict);
      return { reopens, error };
    } catch (failure) {
      return { reopens: false, error: failure };
    }
  }

  #gaveUp(of: 'first-connect' | 'outage', outcome: AttemptsOutcome): void {
    if (outcome.outcome !== 'failed' || this.#isClosed) return;
    const { error, attempts } = outcome;
    const final =
      of === 'first-connect'
        ? error
        : new HoldfastError(
            'ERR_HOLDFAST_RECONNECT_FAILED',
            `gave up after ${attempts} attempts to open another client: ${error.message}`,
            { cause: error, details: { attempts } },
          );
    this.#state = { name: 'closed', error: final };
    this.#settleWaiters(waiter => waiter.reject(final));
    this.announce('closed', { error: final });
  }

  async #close(): Promise<void> {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.#state = { name: 'closed', error: undefined };
    this.#attempts?.stop();
    this.#limit.abort(closedError());
    this.#settleWaiters(waiter => waiter.reject(closedError()));
    if (state.name === 'open') {
      state.watched.stop();
      state.beat?.stop();
      await this.#end(state.watched.client);
    }
    this.announce('closed', { error: undefined });
  }

  /** Ends a client; one that does not end by itself is cut off. Never rejects. */
  async #end(client: C): Promise<void> {
    const cutOff = this.#parts.clock.after(END_MS, () => this.#stream(client)?.destroy());
    try {
      await this.#options.adapter.close(client);
    } catch (error) {
      debug('ending a supervised client failed: %s', error);
    } finally {
      cutOff.cancel();
    }
  }

  #stream(client: C): ReturnType<NonNullable<SuperviseOptions<C>['adapter']['stream']>> {
    return this.#options.adapter.stream?.(client);
  }

  #startBeat(client: C): IdleBeat | undefined {
    const { adapter } = this.#options;
    if (this.#beat === undefined || adapter.beat === undefined) return undefined;
    const beat = adapter.beat.bind(adapter);
    return new IdleBeat(this.#parts.clock, this.#beat, {
      isIdle: () => this.#running === 0 && (adapter.isIdle?.(client) ?? true),
      beat: () => beat(client),
      giveUp: waited => this.#lost(client, unansweredError(waited)),
    });
  }

  #settleWaiters(settle: (waiter: Waiter<C>) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    waiters.forEach(settle);
  }
}

function closedError(cause?: unknown): HoldfastError {
  const options = cause === undefined ? {} : { cause };
  return new HoldfastError('ERR_HOLDFAST_CLOSED', 'the supervised session is closed', options);
}
