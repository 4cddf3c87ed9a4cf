import type { Socket } from 'node:net';
import { hostName, peerName, type TcpHandle } from '../kernel/handle.js';
import type { Target } from './verdict.js';

/** Destinations are few and sockets many: one object serves all sockets of a destination. */
const MOST_TARGETS = 1024;
const targets = new Map<string, Target>();

/** A target's identity, for maps. */
export function targetKey({ host, address, port }: Target): string {
  return `${host}|${address ?? ''}|${port}`;
}

/** The other end of a connected socket; undefined when the kernel no longer knows. */
export function targetOf(socket: Socket, handle: TcpHandle): Target | undefined {
  const peer = peerName(handle);
  if (peer === undefined) return undefined;
  const target: Target = { host: hostName(socket) ?? peer.address, address: peer.address, port: peer.port };
  const key = targetKey(target);
  const known = targets.get(key);
  if (known !== undefined) return known;
  // A cache only: when it is full the oldest goes, and whoever holds that object keeps it.
  if (targets.size >= MOST_TARGETS) {
    for (const oldest of targets.keys()) {
      targets.delete(oldest);
      break;
    }
  }
  targets.set(key, Object.freeze(target));
  return target;
}
