import { HoldfastError } from '../errors.js';
import type { SocketGuard } from '../guard/socket-guard.js';
import type { Target } from '../guard/verdict.js';
import { Bucket } from './bucket.js';

/** A target as a caller names it. */
export type TargetName = string | Pick<Target, 'host' | 'port'>;

/** `host:port`, an IPv6 address in brackets: what sockets and lessons are kept by. */
export function nameOf({ host, port }: Pick<Target, 'host' | 'port'>): string {
  // Of all hosts only IPv6 addresses have a colon; Node's isIPv6 costs 4 ms the first time.
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const NAME = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/;
const MOST_PORT = 65_535;

/** @throws HoldfastError ERR_HOLDFAST_ARGUMENT when it names no host and port */
export function parseTargetName(target: unknown, call: string): { host: string; port: number } {
  const found = typeof target === 'string' ? split(target) : fields(target);
  const { host, port } = found ?? {};
  if (typeof host === 'string' && host !== '' && Number.isInteger(port) && Number(port) <= MOST_PORT) {
    return { host, port: Number(port) };
  }
  const shown = typeof target === 'string' ? `'${target}'` : typeof target;
  throw new HoldfastError(
    'ERR_HOLDFAST_ARGUMENT',
    `${call}: a target is 'host:port' or an object with host and port, and got ${shown}`,
  );
}

function split(text: string): { host: unknown; port: unknown } | undefined {
  const [, bracketed, plain, port] = NAME.exec(text) ?? [];
  return port === undefined ? undefined : { host: bracketed ?? plain, port: Number(port) };
}

function fields(value: unknown): { host?: unknown; port?: unknown } | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** Every live guarded socket of an instance, by target. */
export class Registry {
  readonly #buckets = new Map<string, Bucket>();

  /** @returns the guard's bucket, and whether it is new in it; undefined for a guard without a target */
  add(guard: SocketGuard): { readonly bucket: Bucket; readonly isNew: boolean } | undefined {
    const { target } = guard;
    if (target === undefined) return undefined;
    const name = nameOf(target);
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new Bucket(name, target.host, target.port);
      this.#buckets.set(name, bucket);
    }
    const isNew = !bucket.has(guard);
    if (isNew) bucket.add(guard);
    return { bucket, isNew };
  }

  /** @returns the bucket it was in */
  remove(guard: SocketGuard): Bucket | undefined {
    const bucket = this.bucketOf(guard.target);
    if (bucket === undefined || !bucket.remove(guard)) return undefined;
    this.#dropIfEmpty(bucket);
    return bucket;
  }

  bucketOf(target: Pick<Target, 'host' | 'port'> | undefined): Bucket | undefined {
    return target === undefined ? undefined : this.#buckets.get(nameOf(target));
  }

  get isEmpty(): boolean {
    return this.#buckets.size === 0;
  }

  all(): Bucket[] {
    return [...this.#buckets.values()];
  }

  /** The buckets a caller means: by the name asked for or, where there is none, by the peers' address. */
  find(target: { readonly host: string; readonly port: number }): Bucket[] {
    const bucket = this.#buckets.get(nameOf(target));
    if (bucket !== undefined) return [bucket];
    return this.all().filter(
      each => each.port === target.port && each.guards().some(guard => guard.target?.address === target.host),
    );
  }

  /** Forgets what was collected. */
  prune(): void {
    for (const bucket of this.#buckets.values()) {
      bucket.prune();
      this.#dropIfEmpty(bucket);
    }
  }

  #dropIfEmpty(bucket: Bucket): void {
    if (bucket.size === 0) this.#buckets.delete(bucket.name);
  }
}
