import { HoldfastError } from '../errors.js';
import { resolveDriverOptions, type DriverOptions } from './driver-options.js';
import { guardConnection, mysql2Adapter } from './mysql2-connection.js';
import { guardPool } from './mysql2-pool.js';
import {
  connectionIn,
  poolIn,
  type ConnectionInside,
  type Mysql2Connection,
  type Mysql2Pool,
} from './mysql2-types.js';
import { supervise as superviseClients, type SuperviseOptions, type Supervised } from './supervise.js';

/**
 * Hardens a connection or pool of mysql2, of the callback API or the promise API, and returns the same object. A
 * callback connection is best hardened in the line after `createConnection`, so that the connecting is covered too.
 *
 * - Its sockets are hardened, TLS included.
 * - Each idle connection is pinged now and then (`heartbeat`), never behind running work. That counts as use: the
 *   server's own limit on idle sessions (`wait_timeout`) will not end them.
 * - An idle connection that dies does not end the process. The next request on it fails, with the verdict.
 * - A pool hands out no connection that died unnoticed, and its `query` and `execute` are repeated on another one where
 *   the first attempt provably never left this host. Requests on a connection you checked out, and requests without a
 *   callback, are never repeated.
 *
 * Hardening the same object again changes nothing.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (neither connection nor pool), ERR_HOLDFAST_OPTIONS
 * @example
 * const pool = harden(mysql.createPool({ host: 'db.internal' }), { keepalive: { idle: '30s' } });
 */
export function harden<T extends Mysql2Connection | Mysql2Pool>(target: T, options?: DriverOptions): T {
  const settings = resolveDriverOptions(options);
  const pool = poolIn(target);
  if (pool === undefined) guardConnection(inside(target, 'harden() takes'), settings);
  else guardPool(pool, settings);
  return target;
}

/**
 * A connection that is replaced when it is lost: `open` makes one and prepares it (SET, user variables, temporary
 * tables), for the first time and after each loss; `resume` then catches up on what was missed. Each is hardened.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS
 * @example
 * const session = supervise({
 *   open: async () => {
 *     const connection = await mysql.createConnection(config);
 *     await connection.query("SET time_zone = '+00:00', lock_wait_timeout = 5");
 *     return connection;
 *   },
 * });
 * await session.run(connection => connection.query('SELECT @tenant'));
 */
export function supervise<C extends Mysql2Connection>(options: Mysql2SuperviseOptions<C>): Supervised<C> {
  const { open, resume, reconnect, ...own } = options;
  const settings = resolveDriverOptions(own);
  const connection = (client: C): ConnectionInside => inside(client, 'supervise(): `open` must return');
  return superviseClients<C>({
    open: async attempt => harden(await open(attempt), own),
    resume,
    reconnect,
    holdfast: settings.holdfast,
    adapter: {
      onLost: (client, lost) => mysql2Adapter.onLost(connection(client), lost),
      close: client => mysql2Adapter.close(connection(client)),
      stream: client => connection(client).stream,
    },
  });
}

/** What `supervise` of holdfast/mysql2 takes: hooks, reconnect options, and what {@link harden} takes. */
export type Mysql2SuperviseOptions<C extends Mysql2Connection> = Omit<
  SuperviseOptions<C>,
  'adapter' | 'heartbeat' | 'holdfast'
> &
  DriverOptions;

function inside(value: unknown, claim: string): ConnectionInside {
  const connection = connectionIn(value);
  if (connection !== undefined) return connection;
  const message = `holdfast/mysql2: ${claim} a connection${claim.startsWith('harden') ? ' or pool' : ''} of mysql2`;
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
}

export type { DriverHeartbeat, DriverOptions } from './driver-options.js';
export type { Mysql2Connection, Mysql2Pool } from './mysql2-types.js';
export type { Supervised, SupervisedEvents, SuperviseOptions } from './supervise.js';
