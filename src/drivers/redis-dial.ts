import type { Socket } from 'node:net';
import { destinationOf, type Destination } from '../register/destination.js';
import { beforeConnect } from '../register/intercept.js';

type Listener = (socket: Socket, to: Destination) => void;

const listeners = new Set<Listener>();
let isInstalled = false;

/**
 * Calls `onDial` with each TCP socket that is about to connect, until the returned function is called. node-redis keeps
 * its socket to itself, and dials in the same turn in which its `connect` is called or it says 'reconnecting': watching
 * for that long is enough to see it, and to see nearly nothing else.
 */
export function watchDials(onDial: Listener): () => void {
  if (!isInstalled) beforeConnect(tell);
  isInstalled = true;
  listeners.add(onDial);
  return () => void listeners.delete(onDial);
}

function tell(socket: Socket, args: readonly unknown[]): void {
  if (listeners.size === 0) return;
  const to = destinationOf(args);
  if (to !== undefined) for (const listener of listeners) listener(socket, to);
}
