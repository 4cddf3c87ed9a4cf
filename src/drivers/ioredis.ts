import { HoldfastError } from '../errors.js';
import { resolveDriverOptions, type DriverOptions, type DriverSettings } from './driver-options.js';
import {
  isCluster,
  isRedis,
  type ClusterInside,
  type IoredisClient,
  type RedisInside,
} from './ioredis-types.js';
import { guardLink, type Link } from './redis-link.js';

const guarded = new WeakSet<RedisInside | ClusterInside>();

/**
 * Hardens an ioredis `Redis` (standalone or through Sentinel) or `Cluster` and returns the same object. Connected or
 * not, at any time.
 *
 * - Each of its sockets is hardened, TLS included, and those of later reconnections; of a Cluster, those of every node.
 * - Each idle connection is pinged now and then (`heartbeat`), subscribed ones too, never behind running work such as
 *   `BLPOP key 0`. That counts as use: the server's own limit on idle clients (`timeout`) will not end it.
 * - ioredis reconnects by itself and sends again what was not answered, whether or not the server got it. After a
 *   silence that is safe here, because a command waits until the path has answered. For one cut off on its way turn it
 *   off (`autoResendUnfulfilledCommands: false`) where running twice would do harm. The wrapper repeats nothing itself.
 *
 * Clients the driver makes out of this one (`duplicate`, `monitor`, a Cluster's subscriber) are others:
 * `holdfast/register` reaches them. Hardening the same object again changes nothing.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (neither Redis nor Cluster), ERR_HOLDFAST_OPTIONS
 * @example
 * const redis = harden(new Redis('redis://cache.internal'), { keepalive: { idle: '30s' } });
 */
export function harden<T extends IoredisClient>(client: T, options?: Omit<DriverOptions, 'retries'>): T {
  const settings = resolveDriverOptions(options);
  const given: unknown = client;
  if (isCluster(given)) guardCluster(given, settings);
  else if (isRedis(given)) guardRedis(given, settings);
  else {
    const message = 'harden() of holdfast/ioredis takes a Redis or Cluster of ioredis';
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
  }
  return client;
}

function guardCluster(cluster: ClusterInside, settings: DriverSettings): void {
  if (guarded.has(cluster)) return;
  guarded.add(cluster);
  const add = (node: RedisInside): void => guardRedis(node, settings);
  cluster.nodes().forEach(add);
  cluster.on('+node', add);
}

function guardRedis(redis: RedisInside, settings: DriverSettings): void {
  if (guarded.has(redis)) return;
  guarded.add(redis);
  let attached: unknown;
  const attach = (): void => {
    const { stream } = redis;
    if (!stream || stream.destroyed || stream === attached) return;
    attached = stream;
    const link: Link = {
      stream,
      // 'ready' is neither connecting nor monitoring.
      isIdle: () => redis.status === 'ready' && redis.commandQueue?.length === 0,
      ping: () => redis.ping(),
    };
    guardLink(link, settings);
  };
  redis.on('connect', attach);
  if (redis.status === 'connect' || redis.status === 'ready') attach();
}

export type { DriverHeartbeat, DriverOptions } from './driver-options.js';
export type { IoredisClient } from './ioredis-types.js';
