import { retryNeverSent } from '../guard/retry-never-sent.js';
import type { DriverSettings } from './driver-options.js';
import type { GuardedClient } from './guarded-client.js';
import { guardConnection, guardedConnection } from './mysql2-connection.js';
import type { Callback, ConnectionInside, PoolInside } from './mysql2-types.js';

const DEFAULT_LIMIT = 10;
const MOST_RETRIES = 100;
const pools = new WeakSet<PoolInside>();

/**
 * Hardens a pool, once: each connection it has and each it will make. A connection that was silent for long is asked
 * whether its path lives before it is handed out; the dead ones leave the pool together.
 */
export function guardPool(pool: PoolInside, settings: DriverSettings): void {
  if (pools.has(pool)) return;
  pools.add(pool);
  const members = new Set<GuardedClient<ConnectionInside>>();
  // A limit of 0 means none.
  const most = Math.min(MOST_RETRIES, pool.config?.connectionLimit || DEFAULT_LIMIT);
  const add = (connection: ConnectionInside): void => {
    const guarded = guardConnection(connection, settings);
    members.add(guarded);
    connection.stream.once('close', () => members.delete(guarded));
  };
  const { _allConnections: all } = pool;
  for (let index = 0; index < (all?.length ?? 0); index++) {
    const connection = all?.get(index);
    if (connection !== undefined) add(connection);
  }
  pool.on('connection', add);

  const getConnection = pool.getConnection.bind(pool);
  const checkOut = (callback: Callback, left: number): void => {
    getConnection((error, connection) => {
      const guarded = connection === undefined ? undefined : guardedConnection(connection);
      if (guarded === undefined || left === 0) return callback(error, connection);
      void guarded.isUsable().then(isUsable => {
        if (isUsable) return later(callback, null, connection);
        for (const other of members) void other.isUsable();
        connection?.destroy();
        checkOut(callback, left - 1);
      });
    });
  };
  // The pool's own `query` and `execute`, and the promise API, go through this one.
  pool.getConnection = callback => checkOut(callback as Callback, most);

  const retries = settings.retries ?? most;
  pool.query = retrying(pool.query.bind(pool), retries);
  pool.execute = retrying(pool.execute.bind(pool), retries);
}

type Request = (...args: unknown[]) => unknown;

/** Repeats a request that has a callback. One without is a stream of events and can't be sent twice. */
function retrying(request: Request, retries: number): Request {
  return (...args) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return request(...args);
    const own = args.slice(0, -1);
    let first: { readonly command: unknown } | undefined;
    let refusal: { readonly error: unknown } | undefined;
    const attempt = (): Promise<unknown[]> =>
      new Promise((resolve, reject: (error: Error) => void) => {
        const settle = (error: Error | null | undefined, ...results: unknown[]): void =>
          error ? reject(error) : resolve(results);
        try {
          const command = request(...own, settle);
          first ??= { command };
        } catch (error) {
          refusal ??= first === undefined ? { error } : undefined;
          reject(error as Error);
        }
      });
    const answer = retryNeverSent(attempt, { retries });
    if (refusal !== undefined) {
      answer.catch(() => undefined); // told in the next line
      throw refusal.error;
    }
    answer.then(
      results => later(callback as Callback, null, ...results),
      (error: unknown) => later(callback as Callback, error),
    );
    return first?.command;
  };
}

/** Outside the promise, so that what a callback throws is an uncaught exception as with the bare driver. */
function later(callback: Callback, ...args: unknown[]): void {
  process.nextTick(callback, ...args);
}
