import type { Socket } from 'node:net';
import { guardOf } from '../guard/cover.js';
import { silenceOf } from '../guard/path-probe.js';

/**
 * Whether a connection can be handed out. After a silence its path is asked; where that is dead the socket is ended.
 * One round trip at most, and none for a connection heard from lately, or where nobody can be asked: then the gate, if
 * there is one, has the last word.
 */
export async function isPathAlive(socket: Socket, probeAfterIdle: number | false): Promise<boolean> {
  const guard = guardOf(socket);
  const seen = guard?.tcpInfo;
  if (socket.destroyed) return false;
  if (probeAfterIdle === false || guard === undefined || seen === undefined) return true;
  if (silenceOf(seen) < probeAfterIdle) return true;
  return new Promise(resolve => {
    const isAsked = guard.ask(
      undefined,
      outcome => {
        guard.condemn(outcome);
        resolve(outcome.outcome === 'alive' || (outcome.outcome === 'abandoned' && !socket.destroyed));
      },
      seen,
    );
    if (!isAsked) resolve(true);
  });
}
