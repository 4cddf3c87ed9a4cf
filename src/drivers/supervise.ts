import type { Holdfast } from '../holdfast.js';
import type { Verdict } from '../guard/verdict.js';
import type { ReconnectOptions } from '../options/types.js';
import type { AttemptedEvent } from '../reconnect/events.js';
import type { ClientAdapter } from './adapter.js';
import type { DriverHeartbeat } from './driver-options.js';
import { Supervisor } from './supervisor.js';

/** What `open` is given. */
export interface OpenAttempt {
  /** Counts from 1, the first client. */
  readonly generation: number;
  /** Aborted when the attempt is over before it succeeded: its deadline has passed, or the session was closed. */
  readonly signal: AbortSignal;
}

/** What `resume` is given beside the client. */
export interface ResumedClient {
  /** What the client before it was lost to; undefined where that is not known. */
  readonly verdict: Verdict | undefined;
  /** 2 for the first client that replaces another. */
  readonly generation: number;
}

export interface SuperviseOptions<C extends object> {
  /**
   * Makes a client, connects it and prepares it (LISTEN, SET, SELECT mailbox): for the first time and after each loss.
   * The first failure is final, so that a wrong password is heard of at once; later ones are tried again.
   */
  readonly open: (attempt: OpenAttempt) => C | PromiseLike<C>;
  /** Runs on each new client after the first, before anybody else gets it: to catch up on what was missed. */
  readonly resume?: ((client: C, resumed: ResumedClient) => unknown) | undefined;
  /** How the driver's clients are watched and ended. `holdfast/pg` and its like bring it. */
  readonly adapter: ClientAdapter<C>;
  /** Times of the adapter's beats, where it has any. Default as for the drivers; `false`: none. */
  readonly heartbeat?: DriverHeartbeat | false | undefined;
  /**
   * As everywhere in the library, but `on` is `'any'` unless given: a session is missed whatever took it. `deadline`
   * covers `open` and `resume` together. A client ended by its user is never reopened.
   */
  readonly reconnect?: ReconnectOptions<Verdict | undefined> | undefined;
  /** The instance whose options are used. Default: the one that reads the environment. */
  readonly holdfast?: Holdfast | undefined;
}

/** What a supervised session tells. */
export interface SupervisedEvents {
  /** The client can't be used any more. */
  lost: { readonly generation: number; readonly verdict: Verdict | undefined; readonly error: unknown };
  /** One attempt to open a client was made. */
  attempted: AttemptedEvent;
  /** Another client is in use, and `resume` has run on it. `downtime` in milliseconds. */
  resumed: { readonly generation: number; readonly verdict: Verdict | undefined; readonly downtime: number };
  /** The last event. `error`: why, unless `close()` was called. */
  closed: { readonly error: unknown };
}

export interface RunOptions {
  /** How often `fn` may be called again where its first request never left this host, 0 to 100. Default 1. */
  readonly retries?: number | undefined;
}

/** A client that is replaced when it is lost. */
export interface Supervised<C extends object> {
  readonly state: 'opening' | 'open' | 'reopening' | 'closed';
  /** The client in use; undefined while there is none. */
  readonly current: C | undefined;
  /** Clients so far. */
  readonly generation: number;
  /**
   * Gives the current client to `fn`, as soon as there is one. Where what `fn` did provably never left this host, `fn`
   * is called again with the next client.
   *
   * @throws (rejects) what `fn` threw; HoldfastError ERR_HOLDFAST_CLOSED; what ended the session while waiting
   */
  run<T>(fn: (client: C) => T | PromiseLike<T>, options?: RunOptions): Promise<T>;
  /** Ends the session and its client. Idempotent; wins over an attempt under way. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  on<K extends keyof SupervisedEvents>(event: K, listener: (payload: SupervisedEvents[K]) => void): this;
  once<K extends keyof SupervisedEvents>(event: K, listener: (payload: SupervisedEvents[K]) => void): this;
  off<K extends keyof SupervisedEvents>(event: K, listener: (payload: SupervisedEvents[K]) => void): this;
}

/**
 * Keeps a stateful session going over the loss of its client, for any client an adapter describes. For a driver with
 * an entry of its own use `supervise` of that entry.
 *
 * @throws HoldfastError ERR_HOLDFAST_OPTIONS, ERR_HOLDFAST_ARGUMENT
 * @example
 * const session = supervise({
 *   open: () => connectToBroker(),
 *   resume: (client, { generation }) => client.subscribe('jobs'),
 *   adapter: {
 *     onLost: (client, lost) => {
 *       client.on('failed', lost); // with an error: the session goes on with another client
 *       return () => client.off('failed', lost);
 *     },
 *     close: client => client.end(),
 *   },
 * });
 * await session.run(client => client.publish('jobs', 'hello'));
 */
export function supervise<C extends object>(options: SuperviseOptions<C>): Supervised<C> {
  return new Supervisor(options);
}
