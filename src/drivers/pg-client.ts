import { rememberVerdict } from '../guard/autopsy.js';
import type { ClientAdapter, StopWatching } from './adapter.js';
import type { DriverSettings } from './driver-options.js';
import { GuardedClient } from './guarded-client.js';
import type { ClientInside } from './pg-types.js';

/** One hardened `pg.Client`. */
class PgGuard {
  readonly guarded: GuardedClient<ClientInside>;
  /** The driver's own `query`, bound. */
  readonly query: ClientInside['query'];
  isConnected: boolean;
  isBusy: boolean;

  constructor(client: ClientInside, settings: DriverSettings) {
    this.query = client.query.bind(client);
    // pg learns its server process's number just before it is connected.
    this.isConnected = typeof client.processID === 'number';
    this.isBusy = client.readyForQuery === false;
    guards.set(client, this); // the adapter looks it up
    this.guarded = new GuardedClient(client, pgAdapter, settings);
    client.connection.prependListener('sslconnect', () => this.guarded.streamChanged());
    client.on('connect', () => {
      this.isConnected = true;
      this.guarded.used();
    });
    client.on('drain', () => {
      this.isBusy = false;
      this.guarded.used();
    });
    // An idle client's error ends the process where nobody listens. Its death is remembered, and told at the next use.
    client.on('error', () => undefined);
    client.query = (...args) => this.#ask(args);
  }

  #ask(args: unknown[]): unknown {
    if (this.guarded.isLost) return this.#refuse(args);
    const wasBusy = this.isBusy;
    this.isBusy = true;
    try {
      return this.query(...args);
    } catch (error) {
      this.isBusy = wasBusy; // a wrong argument: nothing was queued
      throw error;
    }
  }

  /** The driver refuses, and its error learns why: a query a dead client was asked for was never sent. */
  #refuse(args: unknown[]): unknown {
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      const tell = (error: unknown, ...rest: unknown[]): unknown =>
        Reflect.apply(callback, undefined, [this.#explain(error), ...rest]);
      return this.query(...args.slice(0, -1), tell);
    }
    const answer = this.query(...args);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => {
      throw this.#explain(error);
    });
  }

  #explain(error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    error.cause ??= this.guarded.error;
    const { verdict } = this.guarded;
    if (verdict !== undefined) rememberVerdict(error, { ...verdict, delivery: 'never-sent' });
    return error;
  }
}

const guards = new WeakMap<ClientInside, PgGuard>();

/** How the library treats a `pg.Client`. Everything it knows of the client, but the stream, is public in pg. */
export const pgAdapter: ClientAdapter<ClientInside> = {
  onLost(client, lost): StopWatching {
    // Any 'error' means the client takes no more queries, one sent by the server (57P01) too. pg emits one before 'end'
    // unless its user called end().
    const onError = (error: Error): void => {
      stop();
      lost(error);
    };
    const onEnd = (): void => {
      stop();
      lost(undefined);
    };
    const stop = (): void => {
      client.removeListener('error', onError);
      client.removeListener('end', onEnd);
    };
    client.on('error', onError);
    client.on('end', onEnd);
    return stop;
  },
  close: client => new Promise<void>(resolve => void client.end(resolve)),
  // An empty query is answered in an aborted transaction too.
  beat: client => Promise.resolve(guards.get(client)?.query('')),
  isIdle(client) {
    const guard = guards.get(client);
    return guard !== undefined && guard.isConnected && !guard.isBusy;
  },
  stream: client => client.connection.stream,
};

/** Hardens a client, once. */
export function guardClient(client: ClientInside, settings: DriverSettings): GuardedClient<ClientInside> {
  return (guards.get(client) ?? new PgGuard(client, settings)).guarded;
}

export function guardedClient(client: ClientInside): GuardedClient<ClientInside> | undefined {
  return guards.get(client)?.guarded;
}
