import type { Duplex } from 'node:stream';

/** The part of a `pg.Client` the wrapper leans on. Any version of the driver that has it will do. */
export interface PgClient {
  readonly connection: PgConnection;
  // `never` accepts every overload of the driver's own.
  query(...args: never[]): unknown;
  end(callback: () => void): unknown;
  on(event: 'connect' | 'drain' | 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: string, listener: (error: Error) => void): unknown;
}

/** `client.connection`. */
export interface PgConnection {
  readonly stream: Duplex;
  prependListener(event: string, listener: () => void): unknown;
}

/** The part of a `pg.Pool` the wrapper leans on. */
export interface PgPool {
  readonly totalCount: number;
  readonly idleCount: number;
  connect(...args: never[]): unknown;
  query(...args: never[]): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What {@link PgClient} is at run time, with the arguments its overloads hide and the fields its types leave out. */
export interface ClientInside extends Omit<PgClient, 'query'> {
  query(...args: unknown[]): unknown;
  /** False while a query is under way. */
  readonly readyForQuery?: boolean;
  readonly processID?: number | null;
}

/** What a client checked out of a pool is at run time. */
export interface PooledClientInside extends ClientInside {
  release(error?: Error): void;
}

/** What {@link PgPool} is at run time. */
export interface PoolInside {
  connect(...args: unknown[]): unknown;
  query(...args: unknown[]): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  readonly options?: { readonly max?: number };
  /** Every client, the idle ones and those in use. */
  readonly _clients?: readonly ClientInside[];
}

export function isPool(value: object): value is PgPool & PoolInside {
  const { totalCount, connect, query } = value as Partial<PgPool>;
  return typeof totalCount === 'number' && typeof connect === 'function' && typeof query === 'function';
}

export function isClient(value: object): value is PgClient & ClientInside {
  const { connection, query } = value as Partial<PgClient>;
  return typeof connection === 'object' && typeof query === 'function';
}
