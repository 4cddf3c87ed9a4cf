import type { Socket } from 'node:net';
import type { Destination } from '../register/destination.js';
import type { DriverSettings } from './driver-options.js';
import type { GuardedClient } from './guarded-client.js';
import { watchDials } from './redis-dial.js';
import { guardLink, type Link } from './redis-link.js';
import { RedisRequests } from './redis-requests.js';
import type { ClientInside } from './redis-types.js';

const DEFAULT_PORT = 6379;
const guards = new WeakMap<ClientInside, RedisGuard>();

/** One hardened client of `redis`, over all the connections it makes. */
export class RedisGuard {
  readonly client: ClientInside;
  readonly requests: RedisRequests;
  readonly #settings: DriverSettings;
  #dialled: Socket | undefined;
  #link: GuardedClient<Link> | undefined;

  constructor(client: ClientInside, settings: DriverSettings) {
    this.client = client;
    this.#settings = settings;
    const connect = client.connect;
    const onDial = (socket: Socket, to: Destination): void => this.#dialling(socket, to);
    client.connect = function (...args) {
      const stop = watchDials(onDial);
      try {
        return connect.apply(this, args);
      } finally {
        stop();
      }
    };
    client.on('reconnecting', () => queueMicrotask(watchDials(onDial)));
    client.on('connect', () => this.#connected());
    // A client's error ends the process where nobody listens. It reconnects by itself.
    client.on('error', () => undefined);
    this.requests = new RedisRequests(client, settings.retries ?? 1);
  }

  /** The connection in use; undefined while there is none. */
  get link(): Link | undefined {
    return this.#link === undefined || this.#link.isLost ? undefined : this.#link.client;
  }

  /** Ends the client, and the connection it may be making. */
  end(): void {
    this.client.destroy();
    this.#dialled?.destroy();
  }

  #dialling(socket: Socket, to: Destination): void {
    const { host, port } = this.client.options?.socket ?? {};
    if (to.port !== (port ?? DEFAULT_PORT) || (to.host ?? 'localhost') !== (host ?? 'localhost')) return;
    this.#dialled = socket;
    this.#settings.holdfast.harden(socket, this.#settings.socket);
  }

  #connected(): void {
    const stream = this.#dialled;
    this.#dialled = undefined;
    if (stream === undefined) return; // a Unix socket
    const { client, requests } = this;
    const link: Link = {
      stream,
      isIdle: () => client.isReady && requests.areNone,
      ping: () => requests.ping(),
    };
    this.#link = guardLink(link, this.#settings);
  }
}

/** Hardens a client, once. */
export function guardClient(client: ClientInside, settings: DriverSettings): RedisGuard {
  let guard = guards.get(client);
  if (guard === undefined) {
    guard = new RedisGuard(client, settings);
    guards.set(client, guard);
  }
  return guard;
}

export function guardOfClient(client: ClientInside): RedisGuard | undefined {
  return guards.get(client);
}
