import { Socket } from 'node:net';

type Connect = (this: Socket, ...args: unknown[]) => Socket;

/**
 * Calls `before` with every socket of this thread that is about to connect, whoever connects it: `net.connect`,
 * `tls.connect`, http agents and `fetch` all end in this one method, on every Node version. (The diagnostics channel
 * `net.client.socket` misses `new Socket().connect()` and TLS on Node 20.) `before` must not throw.
 */
export function beforeConnect(before: (socket: Socket, args: readonly unknown[]) => void): void {
  const prototype = Socket.prototype as unknown as { connect: Connect };
  const original = prototype.connect;
  prototype.connect = function connect(...args) {
    before(this, args);
    return original.apply(this, args);
  };
}
