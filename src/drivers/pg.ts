import { HoldfastError } from '../errors.js';
import { resolveDriverOptions, type DriverOptions } from './driver-options.js';
import { guardClient, pgAdapter } from './pg-client.js';
import { guardPool } from './pg-pool.js';
import { isClient, isPool, type PgClient, type PgPool } from './pg-types.js';
import { supervise as superviseClients, type SuperviseOptions, type Supervised } from './supervise.js';

/**
 * Hardens a `pg.Client` or `pg.Pool` and returns the same object. Connected or not; before is better, so that the
 * connecting is covered too.
 *
 * - Its sockets are hardened, TLS included.
 * - Each idle connection gets an empty query now and then (`heartbeat`), never behind running work. That counts as use:
 *   a server's own limit on idle sessions (`idle_session_timeout`) will not end them.
 * - An idle connection that dies does not end the process. The next query on a dead Client rejects, with the verdict.
 * - A Pool hands out no connection that died unnoticed, and `pool.query` is repeated on another one where the first
 *   attempt provably never left this host. Statements on a client you checked out are never repeated.
 *
 * Hardening the same object again changes nothing.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (neither Client nor Pool, or pg.native), ERR_HOLDFAST_OPTIONS
 * @example
 * const pool = harden(new pg.Pool({ host: 'db.internal' }), { keepalive: { idle: '30s' } });
 */
export function harden<T extends PgClient | PgPool>(target: T, options?: DriverOptions): T {
  // Callers without types pass anything here.
  const given: unknown = target;
  const settings = resolveDriverOptions(options);
  if (typeof given === 'object' && given !== null) {
    if (isPool(given)) {
      guardPool(given, settings);
      return target;
    }
    if (isClient(given)) {
      guardClient(given, settings);
      return target;
    }
  }
  const message = 'harden() of holdfast/pg takes a pg.Client or pg.Pool (of pg itself, not pg.native)';
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
}

/**
 * A Client that is replaced when it is lost: `open` makes, connects and prepares one (LISTEN, SET), for the first time
 * and after each loss; `resume` then catches up on what was missed. Each client is hardened.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS
 * @example
 * const session = supervise({
 *   open: async () => {
 *     const client = new pg.Client(config);
 *     await client.connect();
 *     await client.query('LISTEN jobs');
 *     return client;
 *   },
 *   resume: client => readJobsMissed(client),
 * });
 * await session.run(client => client.query('SELECT 1'));
 */
export function supervise<C extends PgClient>(options: PgSuperviseOptions<C>): Supervised<C> {
  const { open, resume, reconnect, ...own } = options;
  const settings = resolveDriverOptions(own);
  return superviseClients<C>({
    open: async attempt => harden(await open(attempt), own),
    resume,
    reconnect,
    holdfast: settings.holdfast,
    adapter: {
      onLost: (client, lost) => pgAdapter.onLost(inside(client), lost),
      close: client => pgAdapter.close(inside(client)),
      stream: client => client.connection.stream,
    },
  });
}

/** What `supervise` of holdfast/pg takes: hooks, reconnect options, and what {@link harden} takes. */
export type PgSuperviseOptions<C extends PgClient> = Omit<
  SuperviseOptions<C>,
  'adapter' | 'heartbeat' | 'holdfast'
> &
  DriverOptions;

function inside(client: PgClient): Parameters<typeof pgAdapter.onLost>[0] {
  if (isClient(client)) return client;
  throw new HoldfastError(
    'ERR_HOLDFAST_ARGUMENT',
    'supervise() of holdfast/pg: `open` must return a pg.Client',
  );
}

export type { DriverHeartbeat, DriverOptions } from './driver-options.js';
export type { PgClient, PgPool } from './pg-types.js';
export type { Supervised, SupervisedEvents, SuperviseOptions } from './supervise.js';
