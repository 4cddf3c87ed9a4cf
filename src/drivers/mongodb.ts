import { HoldfastError } from '../errors.js';
import type { HoldfastOptions } from '../options/types.js';
import { withOptions } from '../options/resolve.js';
import { sharedInstance } from '../shared.js';
import type { Holdfast } from '../holdfast.js';
import type { DriverOptions } from './driver-options.js';
import type { MongoClientLike } from './mongodb-types.js';
import { watchDials } from './redis-dial.js';

/** What {@link harden} takes: the options of a socket. There is no heartbeat, see there. */
export type MongoOptions = Omit<DriverOptions, 'heartbeat' | 'retries'>;

const hardened = new WeakSet<MongoClientLike>();

/**
 * Hardens a `MongoClient` that is not yet connected and returns the same object. The driver keeps its sockets to itself:
 * those dialled to the servers of this client's deployment are hardened while they are dialled, pool and monitors, TLS
 * included. Another client of the same servers has its sockets hardened too for as long.
 *
 * There is no heartbeat: a `ping` reaches one connection of a pool, whichever the pool hands out. Keepalive reaches all
 * of them. Behind a balancer that counts payload only, give the client a `maxIdleTimeMS` below the balancer's timeout.
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
  const { holdfast = sharedInstance(), ...own } = options;
  withOptions(holdfast.options, own);
  if (!isClient(client)) throw wrong('harden() takes a MongoClient');
  if (hardened.has(client)) return client;
  if ((client as { readonly topology?: unknown }).topology !== undefined) {
    throw wrong('harden() must come before connect(): the sockets are out of reach afterwards');
  }
  hardened.add(client);
  watchServers(client, holdfast, own);
  return client;
}

function watchServers(client: MongoClientLike, holdfast: Holdfast, options: HoldfastOptions): void {
  // The driver tells of each server before it dials it, those it finds by itself among them.
  const addresses = new Set<string>();
  let stop: (() => void) | undefined;
  client.on('serverOpening', ({ address }) => {
    addresses.add(address);
    stop ??= watchDials((socket, { host, port }) => {
      if (addresses.has(`${host ?? 'localhost'}:${port}`)) holdfast.harden(socket, options);
    });
  });
  client.on('serverClosed', ({ address }) => {
    addresses.delete(address);
    if (addresses.size > 0) return;
    stop?.();
    stop = undefined;
  });
}

function isClient(value: unknown): value is MongoClientLike {
  if (typeof value !== 'object' || value === null) return false;
  const { on, connect, db } = value as Partial<MongoClientLike>;
  return [on, connect, db].every(method => typeof method === 'function');
}

function wrong(claim: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_ARGUMENT', `holdfast/mongodb: ${claim}`);
}

export { tail, type TailOptions, type Tail } from './mongodb-tail.js';
export type { MongoClientLike, MongoCollectionLike, MongoCursorLike } from './mongodb-types.js';
export type { Supervised, SupervisedEvents } from './supervise.js';
