import { Socket } from 'node:net';

/** A pooled connection of the driver, as far as beats need it. */
export interface PooledConnection {
  readonly id: unknown;
  readonly closed: boolean;
  readonly generation: number;
  readonly idleTime: number;
  readonly serviceId?: { toHexString(): string } | undefined;
  readonly socket: Socket;
  command(
    namespace: { readonly db: string; toString(): string },
    command: { readonly ping: 1 },
    options: object,
  ): Promise<unknown>;
}

/** A pool of the driver, as far as beats need it. All of it is internal there. */
export interface Pool {
  readonly generation: number;
  readonly loadBalanced?: boolean | undefined;
  readonly serviceGenerations?: ReadonlyMap<string, number> | undefined;
  readonly waitQueueSize: number;
  readonly options: {
    readonly maxIdleTimeMS?: number | undefined;
    readonly maxPoolSize?: number | undefined;
  };
  readonly connections: Iterable<PooledConnection> & {
    prune(isUnwanted: (connection: PooledConnection) => boolean): void;
    unshift(connection: PooledConnection): void;
  };
  checkOut(options: object): Promise<PooledConnection>;
  checkIn(connection: PooledConnection): void;
}

/** Where the driver keeps its pools: internal, and the only way to one certain connection. */
interface ClientInside {
  readonly topology?: {
    readonly s?: { readonly servers?: ReadonlyMap<string, { readonly pool?: Partial<Pool> }> };
  };
}

const ADMIN = { db: 'admin', toString: () => 'admin.$cmd' };
/** A checkout without a deadline: it is asked for only where a connection is there. */
const AT_ONCE = { timeoutContext: { connectionCheckoutTimeout: null, csotEnabled: () => false } };

/** The pool of a server; undefined where this version of the driver hides it. Before 6.13 it did. */
export function poolOf(client: object, address: string): Pool | undefined {
  const pool = (client as ClientInside).topology?.s?.servers?.get(address)?.pool;
  return pool !== undefined && isPool(pool) ? pool : undefined;
}

/** The connection of that number, if it is idle; undefined too where this version of the driver has other ones. */
export function connectionOf(pool: Pool, id: unknown): PooledConnection | undefined {
  for (const connection of pool.connections) {
    if (connection.id === id) return isConnection(connection) ? connection : undefined;
  }
  return undefined;
}

/** Nobody uses it, nobody waits for it, and the pool would not throw it away when it is asked for it. */
export function isIdle(pool: Pool, connection: PooledConnection): boolean {
  if (pool.waitQueueSize > 0 || connection.closed || isStale(pool, connection)) return false;
  const { maxIdleTimeMS } = pool.options;
  if (maxIdleTimeMS && connection.idleTime > maxIdleTimeMS) return false;
  for (const idle of pool.connections) if (idle === connection) return true;
  return false;
}

/** The driver's own `checkOut` of the pools that have another one now. */
const asMade = new WeakMap<Pool, Pool['checkOut']>();

/** Replaces what takes a connection out of a pool, once. A ping still takes its own as the driver would. */
export function replaceCheckOut(
  pool: Pool,
  replacement: (asDriver: Pool['checkOut']) => Pool['checkOut'],
): void {
  if (asMade.has(pool)) return;
  const checkOut = pool.checkOut.bind(pool);
  asMade.set(pool, checkOut);
  pool.checkOut = replacement(checkOut);
}

/** Checkouts under way, the last one of each pool. */
const takes = new WeakMap<Pool, Promise<unknown>>();

/**
 * Sends a `ping` on this very connection, checked out for as long. One that is not idle any more has been used just now,
 * and needs none.
 */
export async function pingOn(pool: Pool, connection: PooledConnection): Promise<void> {
  const taking = take(pool, connection, takes.get(pool));
  takes.set(
    pool,
    taking.catch(() => undefined), // told to the caller
  );
  const mine = await taking;
  if (mine === undefined) return;
  try {
    await mine.command(ADMIN, { ping: 1 }, {});
  } finally {
    // A connection that died of it leaves the pool here.
    pool.checkIn(mine);
  }
}

/** A pool hands out the first of its idle connections, so this one is put first: two at once would get each other's. */
async function take(
  pool: Pool,
  connection: PooledConnection,
  before: Promise<unknown> | undefined,
): Promise<PooledConnection | undefined> {
  await before;
  if (!isIdle(pool, connection)) return undefined;
  pool.connections.prune(other => other === connection);
  pool.connections.unshift(connection);
  return (asMade.get(pool) ?? pool.checkOut.bind(pool))(AT_ONCE);
}

function isStale(pool: Pool, { generation, serviceId }: PooledConnection): boolean {
  if (pool.loadBalanced !== true || serviceId === undefined) return generation !== pool.generation;
  return generation !== pool.serviceGenerations?.get(serviceId.toHexString());
}

function isPool(pool: Partial<Pool>): pool is Pool {
  const { connections, options, generation, waitQueueSize } = pool;
  const isList = connections !== undefined && Symbol.iterator in connections;
  return (
    isList &&
    hasMethods(connections, ['prune', 'unshift']) &&
    hasMethods(pool, ['checkOut', 'checkIn']) &&
    typeof options === 'object' &&
    typeof generation === 'number' &&
    typeof waitQueueSize === 'number'
  );
}

function isConnection(connection: Partial<PooledConnection>): boolean {
  const { socket, closed } = connection;
  return socket instanceof Socket && typeof closed === 'boolean' && hasMethods(connection, ['command']);
}

function hasMethods(value: object, names: readonly string[]): boolean {
  return names.every(name => typeof (value as Record<string, unknown>)[name] === 'function');
}
