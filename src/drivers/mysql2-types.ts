import type { Duplex } from 'node:stream';

/** The part of a mysql2 connection, of the callback API or the promise API, the wrapper leans on. */
export interface Mysql2Connection {
  // `never` accepts every overload of the driver's own.
  query(...args: never[]): unknown;
  execute(...args: never[]): unknown;
  ping(...args: never[]): unknown;
  destroy(): unknown;
}

/** The part of a mysql2 pool, of the callback API or the promise API, the wrapper leans on. */
export interface Mysql2Pool {
  query(...args: never[]): unknown;
  execute(...args: never[]): unknown;
  getConnection(...args: never[]): unknown;
}

export type Callback = (...args: unknown[]) => void;

/** A request on its way: `onResult` is its callback. */
export interface CommandInside {
  onResult?: Callback;
}

/** What a connection of the callback API is at run time. One of the promise API has it in `connection`. */
export interface ConnectionInside {
  readonly stream: Duplex;
  /** The handshake is over. */
  readonly authorized?: boolean;
  /** The request under way; the handshake is one too. */
  readonly _command?: CommandInside | null;
  readonly _paused?: boolean;
  readonly _closing?: boolean;
  readonly _fatalError?: Error | null;
  readonly _protocolError?: Error | null;
  /** Takes the place of `addCommand` once the connection is dead. */
  _addCommandClosedState?: (this: ConnectionInside, command: CommandInside) => void;
  addCommand(command: CommandInside): unknown;
  ping(callback: (error: unknown) => void): unknown;
  end(callback: (error?: unknown) => void): unknown;
  destroy(): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
}

/** What a pool of the callback API is at run time. One of the promise API has it in `pool`. */
export interface PoolInside {
  query(...args: unknown[]): unknown;
  execute(...args: unknown[]): unknown;
  getConnection(callback: (error: unknown, connection?: ConnectionInside) => void): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  readonly config?: { readonly connectionLimit?: number };
  /** Every connection, the free ones and those in use. */
  readonly _allConnections?: { readonly length: number; get(index: number): ConnectionInside | undefined };
}

/** The connection under one of either API. */
export function connectionIn(value: unknown): ConnectionInside | undefined {
  const { connection } = (value ?? {}) as { readonly connection?: unknown };
  return [value, connection].find(isConnection);
}

/** The pool under one of either API. */
export function poolIn(value: unknown): PoolInside | undefined {
  const { pool } = (value ?? {}) as { readonly pool?: unknown };
  return [pool, value].find(isPool);
}

function isConnection(value: unknown): value is ConnectionInside {
  if (typeof value !== 'object' || value === null) return false;
  const { stream, addCommand, ping } = value as Partial<ConnectionInside>;
  return typeof stream === 'object' && typeof addCommand === 'function' && typeof ping === 'function';
}

function isPool(value: unknown): value is PoolInside {
  if (typeof value !== 'object' || value === null) return false;
  const { getConnection, query, _allConnections } = value as Partial<PoolInside>;
  return (
    typeof getConnection === 'function' && typeof query === 'function' && typeof _allConnections === 'object'
  );
}
