/** The part of a client of `redis` the wrapper leans on. */
export interface RedisClient {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  // `never` accepts every overload of the driver's own.
  connect(...args: never[]): unknown;
  sendCommand(...args: never[]): unknown;
  destroy(): unknown;
}

export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What a client is at run time: the object behind the ones `createClient` and `withCommandOptions` return. */
export interface ClientInside {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  /** Keys are being watched. Missing in old versions. */
  readonly isWatching?: boolean;
  readonly options?: {
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string };
  };
  connect: Method;
  sendCommand: Method;
  destroy(): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** The object that holds a client's state; `createClient` returns one that only inherits from it. */
export function clientIn(value: unknown): ClientInside | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { _self } = value as { readonly _self?: unknown };
  return [_self, value].find(isClient);
}

function isClient(value: unknown): value is ClientInside {
  if (typeof value !== 'object' || value === null) return false;
  const { isOpen, isReady, connect, sendCommand } = value as Partial<ClientInside>;
  const hasState = typeof isOpen === 'boolean' && typeof isReady === 'boolean';
  return hasState && typeof connect === 'function' && typeof sendCommand === 'function';
}
