import { isPathAlive } from './path-check.js';
import { poolOf, replaceCheckOut, type PooledConnection } from './mongodb-pool.js';
import type { MongoClientLike } from './mongodb-types.js';

const DEFAULT_LIMIT = 100;

/**
 * Makes a client's pools hand out no connection whose path is dead. Such a connection leaves its pool, and the next one
 * is taken; the last one taken is handed out as it is.
 */
export function checkAtCheckOut(client: MongoClientLike, probeAfterIdle: number | false): void {
  if (probeAfterIdle === false) return;
  client.on('connectionPoolCreated', ({ address }) => {
    const pool = poolOf(client, address);
    if (pool === undefined) return;
    replaceCheckOut(pool, checkOut => async options => {
      for (let left = pool.options.maxPoolSize || DEFAULT_LIMIT; ; left--) {
        const connection = await checkOut(options);
        if (left === 0 || (await isAlive(connection, probeAfterIdle))) return connection;
        pool.checkIn(connection);
      }
    });
  });
}

async function isAlive({ socket }: PooledConnection, probeAfterIdle: number): Promise<boolean> {
  if (await isPathAlive(socket, probeAfterIdle)) return true;
  // The driver learns it from this event, and throws away what is given back after it.
  if (!socket.closed) await new Promise(resolve => socket.once('close', resolve));
  return false;
}
