import { HoldfastError } from '../errors.js';
import { resolveDriverOptions, type DriverOptions, type DriverSettings } from './driver-options.js';
import { beatPools } from './mongodb-beat.js';
import { checkAtCheckOut } from './mongodb-checkout.js';
import type { MongoClientLike } from './mongodb-types.js';
import { watchDials } from './redis-dial.js';

/** What {@link harden} takes: the options of a socket, and the heartbeat's. */
export type MongoOptions = Omit<DriverOptions, 'retries'>;

const hardened = new WeakSet<MongoClientLike>();

/**
 * Hardens a `MongoClient` that is not yet connected and returns the same object. The driver keeps its sockets to itself:
 * those dialled to the servers of this client's deployment are hardened while they are dialled, pool and monitors, TLS
 * included. Another client of the same servers has its sockets hardened too for as long.
 *
 * Each idle connection of each pool gets a heartbeat of its own, a `ping`. It is checked out for as long, so nothing
 * runs on it meanwhile. A connection that was silent for `probeAfterIdle` is handed out only once its path has answered.
 * Both take a driver of 6.13 or later; with an older one there is neither. The monitors' connections have the driver's
 * own heartbeat.
 *
 * Operations are repeated by nobody but the driver itself. Where that gives up, the error carries a verdict:
 * `retryNeverSent(() => collection.insertOne(document))` of the main entry repeats what never left this host.
 *
 * Hardening the same object again changes nothing.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (not a MongoClient, or one already connected), ERR_HOLDFAST_OPTIONS
 * @example
 * const client = harden(new MongoClient('mongodb://db.internal'), { keepalive: { idle: '30s' } });
 */
export function harden<T extends MongoClientLike>(client: T, options: MongoOptions = {}): T {
  const settings = resolveDriverOptions(options);
  if (!isClient(client)) throw wrong('harden() takes a MongoClient');
  if (hardened.has(client)) return client;
  if ((client as { readonly topology?: unknown }).topology !== undefined) {
    throw wrong('harden() must come before connect(): the sockets are out of reach afterwards');
  }
  hardened.add(client);
  watchServers(client, settings);
  checkAtCheckOut(client, settings.probeAfterIdle);
  if (settings.beat !== undefined) beatPools(client, settings.beat);
  return client;
}

function watchServers(client: MongoClientLike, { holdfast, socket: options }: DriverSettings): void {
  // The driver tells of each server before it dials it, those it finds by itself among them.
  const addresses = new Set<string>();
  let stop: (() => void) | undefined;
  client.on('serverOpening', ({ address }) => {
    addresses.add(address);
    stop ??= watchDials((socket, { host, port }) => {
      if (addresses.has(addressOf(host, port))) holdfast.harden(socket, options);
    });
  });
  client.on('serverClosed', ({ address }) => {
    addresses.delete(address);
    if (addresses.size > 0) return;
    stop?.();
    stop = undefined;
  });
}

/** As the driver writes it. */
function addressOf(host = 'localhost', port: number | undefined): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isClient(value: unknown): value is MongoClientLike {
  if (typeof value !== 'object' || value === null) return false;
  const { on, connect, db } = value as Partial<MongoClientLike>;
  return [on, connect, db].every(method => typeof method === 'function');
}

function wrong(claim: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_ARGUMENT', `holdfast/mongodb: ${claim}`);
}

export {
  changes,
  type Change,
  type ChangedIn,
  type Changes,
  type ChangesOptions,
} from './mongodb-changes.js';
export { tail, type Tail, type TailOptions } from './mongodb-tail.js';
export type { FollowOptions, Following, ResumedFollowing } from './mongodb-follow.js';
export type { DriverHeartbeat } from './driver-options.js';
export type {
  MongoChangeStreamLike,
  MongoClientLike,
  MongoCollectionLike,
  MongoCursorLike,
  MongoWatchable,
  PoolEvent,
} from './mongodb-types.js';
export type { Supervised, SupervisedEvents } from './supervise.js';
