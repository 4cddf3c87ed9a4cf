import { systemClock, type Clock } from '../clock.js';
import { IdleBeat, unansweredError, type BeatTimes } from './idle-beat.js';
import { connectionOf, isIdle, pingOn, poolOf, type Pool, type PooledConnection } from './mongodb-pool.js';
import type { MongoClientLike, PoolEvent } from './mongodb-types.js';
import { receivedBytes } from './received-bytes.js';

/**
 * A heartbeat for each idle connection of a client's pools. The client tells when one is made, given back and closed;
 * which one a `ping` takes is the pool's affair, see {@link pingOn}.
 */
export function beatPools(client: MongoClientLike, times: BeatTimes, clock: Clock = systemClock): void {
  const servers = new Map<string, Map<unknown, IdleBeat>>();

  const idle = ({ address, connectionId }: PoolEvent): void => {
    const known = servers.get(address)?.get(connectionId);
    if (known !== undefined) return known.used();
    const pool = poolOf(client, address);
    const connection = pool === undefined ? undefined : connectionOf(pool, connectionId);
    if (pool === undefined || connection === undefined) return;
    const beats = servers.get(address) ?? new Map<unknown, IdleBeat>();
    servers.set(address, beats.set(connectionId, new IdleBeat(clock, times, portOf(pool, connection))));
  };
  const gone = ({ address, connectionId }: PoolEvent): void => {
    const beats = servers.get(address);
    beats?.get(connectionId)?.stop();
    beats?.delete(connectionId);
    if (beats?.size === 0) servers.delete(address);
  };

  client.on('connectionCheckedIn', idle);
  // One made for nobody, to fill the pool, is put there after this event.
  client.on('connectionReady', event => queueMicrotask(() => idle(event)));
  client.on('connectionClosed', gone);
}

function portOf(pool: Pool, connection: PooledConnection): ConstructorParameters<typeof IdleBeat>[2] {
  const { socket } = connection;
  return {
    isIdle: () => isIdle(pool, connection),
    beat: () => pingOn(pool, connection),
    received: () => receivedBytes(socket),
    giveUp: waited => void socket.destroy(unansweredError(waited)),
  };
}
