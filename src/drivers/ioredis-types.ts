import type { Duplex } from 'node:stream';

/** The part of an ioredis `Redis` or `Cluster` the wrapper leans on. */
export interface IoredisClient {
  readonly status: string;
  // `never` accepts every overload of the driver's own.
  disconnect(...args: never[]): unknown;
  quit(...args: never[]): unknown;
}

/** What a `Redis` is at run time. */
export interface RedisInside {
  readonly status: string;
  readonly stream?: Duplex | null;
  /** Commands sent and not answered. */
  readonly commandQueue?: { readonly length: number };
  ping(): PromiseLike<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** What a `Cluster` is at run time. */
export interface ClusterInside {
  nodes(): readonly RedisInside[];
  on(event: string, listener: (...args: never[]) => void): unknown;
}

export function isCluster(value: unknown): value is ClusterInside {
  if (typeof value !== 'object' || value === null) return false;
  const { nodes, on } = value as Partial<ClusterInside>;
  return typeof nodes === 'function' && typeof on === 'function';
}

export function isRedis(value: unknown): value is RedisInside {
  if (typeof value !== 'object' || value === null) return false;
  const { status, commandQueue, ping, on } = value as Partial<RedisInside>;
  const hasState = typeof status === 'string' && typeof commandQueue?.length === 'number';
  return hasState && typeof ping === 'function' && typeof on === 'function';
}
