import { retryNeverSent } from '../guard/retry-never-sent.js';
import type { DriverSettings } from './driver-options.js';
import type { GuardedClient } from './guarded-client.js';
import { guardClient, guardedClient } from './pg-client.js';
import { isClient, type ClientInside, type PooledClientInside, type PoolInside } from './pg-types.js';

type Callback = (...args: unknown[]) => void;

const DEFAULT_MAX = 10;
const MOST_RETRIES = 100;
const pools = new WeakSet<PoolInside>();

/**
 * Hardens a pool, once: each client it has and each it will make. A client that was silent for long is asked whether
 * its path lives before it is handed out; the dead ones leave the pool together.
 */
export function guardPool(pool: PoolInside, settings: DriverSettings): void {
  if (pools.has(pool)) return;
  pools.add(pool);
  const members = new Set<GuardedClient<ClientInside>>();
  const most = Math.min(MOST_RETRIES, pool.options?.max ?? DEFAULT_MAX);
  const add = (client: ClientInside): void => {
    if (!isClient(client)) return; // pg.native: libpq keeps its socket to itself
    const guarded = guardClient(client, settings);
    members.add(guarded);
    client.on('end', () => members.delete(guarded));
  };
  for (const client of pool._clients ?? []) add(client);
  pool.on('connect', add);
  // Without a listener a pool throws what its idle clients die of. They have left the pool by then.
  pool.on('error', () => undefined);

  const connect = pool.connect.bind(pool) as () => Promise<PooledClientInside>;
  const query = pool.query.bind(pool);

  /** An idle client whose path answers, or a new one. */
  async function checkOut(): Promise<PooledClientInside> {
    for (let left = most; ; left--) {
      const client = await connect();
      const guarded = guardedClient(client);
      if (guarded === undefined || left === 0 || (await guarded.isUsable())) return client;
      for (const other of members) void other.isUsable();
      client.release(new Error('the connection was lost while it was idle'));
    }
  }

  pool.connect = (...args) => {
    const callback = args[0];
    if (typeof callback !== 'function') return checkOut();
    const tell = callback as Callback;
    checkOut().then(
      client => later(tell, undefined, client, (error?: Error) => client.release(error)),
      (error: unknown) => later(tell, error, undefined, () => undefined),
    );
    return undefined;
  };

  pool.query = (...args) => {
    const [text] = args;
    // A query object (a cursor, a stream) keeps state of its own and can't be sent twice; wrong arguments are the pool's.
    if (typeof text === 'function' || isSubmittable(text)) return query(...args);
    const callback = args.at(-1);
    const hasCallback = typeof callback === 'function';
    const own = hasCallback ? args.slice(0, -1) : args;
    const answer = retryNeverSent(() => query(...own), { retries: settings.retries ?? most });
    if (!hasCallback) return answer;
    const tell = callback as Callback;
    answer.then(
      result => later(tell, undefined, result),
      (error: unknown) => later(tell, error),
    );
    return undefined;
  };
}

/** Outside the promise, so that what a callback throws is an uncaught exception as with the bare driver. */
function later(callback: Callback, ...args: unknown[]): void {
  process.nextTick(callback, ...args);
}

function isSubmittable(value: unknown): boolean {
  return typeof (value as { submit?: unknown } | null | undefined)?.submit === 'function';
}
