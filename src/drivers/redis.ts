import { HoldfastError } from '../errors.js';
import { resolveDriverOptions, type DriverOptions } from './driver-options.js';
import { guardClient, guardOfClient, type RedisGuard } from './redis-client.js';
import { linkAdapter } from './redis-link.js';
import { clientIn, type RedisClient } from './redis-types.js';
import { supervise as superviseClients, type SuperviseOptions, type Supervised } from './supervise.js';

/**
 * Hardens a client of `redis`, made by `createClient` and not yet connected, and returns the same object. It must come
 * before `connect()`: the driver keeps its socket to itself, and the library sees it only while it is being dialled.
 *
 * - Each of its sockets is hardened, TLS included, and those of later reconnections.
 * - The idle connection is pinged now and then (`heartbeat`), with a deadline of its own, never behind running work
 *   such as `BLPOP key 0`. That counts as use: the server's own limit on idle clients (`timeout`) will not end it.
 * - An error of the client does not end the process where nobody listens for it. Listen for 'error' all the same: it is
 *   how the driver tells that it can't connect.
 * - A command that provably never left this host is sent again on the next connection. A transaction is not, where keys
 *   are being watched: watch, read and try again.
 *
 * Clients the driver makes out of this one (`duplicate`, pools, clusters) are others: `holdfast/register` reaches them.
 * Hardening the same object again changes nothing.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (not a client, or one already connected), ERR_HOLDFAST_OPTIONS
 * @example
 * const client = harden(createClient({ url: 'redis://cache.internal' }), { keepalive: { idle: '30s' } });
 * await client.connect();
 */
export function harden<T extends RedisClient>(client: T, options?: DriverOptions): T {
  const settings = resolveDriverOptions(options);
  const inside = clientIn(client);
  if (inside === undefined) throw wrong('harden() takes a client that createClient() made');
  if (guardOfClient(inside) !== undefined) return client;
  if (inside.isOpen)
    throw wrong('harden() must come before connect(): the socket is out of reach afterwards');
  guardClient(inside, settings);
  return client;
}

/**
 * A client that is replaced when its connection is lost, for sessions whose state the driver does not restore: WATCH,
 * CLIENT TRACKING, CLIENT NO-EVICT. `open` makes, hardens and connects one, and prepares it; best with
 * `socket: { reconnectStrategy: false }`, because a client that reconnects by itself has lost its state all the same.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS
 * @example
 * const session = supervise({
 *   open: async () => {
 *     const client = harden(createClient({ url, socket: { reconnectStrategy: false } }));
 *     await client.connect();
 *     await client.watch('stock');
 *     return client;
 *   },
 * });
 * await session.run(client => client.multi().decr('stock').exec());
 */
export function supervise<C extends RedisClient>(options: RedisSuperviseOptions<C>): Supervised<C> {
  const { open, ...own } = options;
  return superviseClients<C>({
    ...own,
    open: async attempt => {
      const client = await open(attempt);
      if (guardIn(client)?.link === undefined) {
        clientIn(client)?.destroy();
        throw wrong('supervise(): `open` must return a client that was hardened and then connected');
      }
      return client;
    },
    adapter: {
      onLost: (client, lost) => {
        const guard = guardIn(client);
        guard?.requests.repeatNone();
        if (guard?.link !== undefined) return linkAdapter.onLost(guard.link, lost);
        queueMicrotask(() => lost(wrong('the connection was lost as soon as it was made')));
        return () => undefined;
      },
      close: client => guardIn(client)?.end(),
      stream: client => guardIn(client)?.link?.stream,
    },
  });
}

/** What `supervise` of holdfast/redis takes. The options of the sockets are given to {@link harden}. */
export type RedisSuperviseOptions<C extends RedisClient> = Omit<SuperviseOptions<C>, 'adapter' | 'heartbeat'>;

function guardIn(client: RedisClient): RedisGuard | undefined {
  const inside = clientIn(client);
  return inside === undefined ? undefined : guardOfClient(inside);
}

function wrong(claim: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_ARGUMENT', `holdfast/redis: ${claim}`);
}

export type { DriverHeartbeat, DriverOptions } from './driver-options.js';
export type { RedisClient } from './redis-types.js';
export type { Supervised, SupervisedEvents, SuperviseOptions } from './supervise.js';
