import type { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { Heartbeat } from '../heartbeat/heartbeat.js';
import { tcpHandle } from '../kernel/handle.js';
import type { TcpInfo } from '../kernel/tcp-info.js';
import type { ResolvedHeartbeat } from '../options/types.js';
import type { SocketGuard } from './socket-guard.js';

/** Starts the heartbeat of a guarded connection. */
export function startHeartbeat(guard: SocketGuard, options: ResolvedHeartbeat): Heartbeat {
  const { socket, context } = guard;
  return new Heartbeat(context.clock, options, {
    ready: () => isIdle(socket),
    send: () => {
      const payload = options.send(socket);
      if (payload !== undefined) socket.write(payload);
    },
    // What an `onread` socket reads, and what waits in the kernel, is seen only by the kernel.
    silence: () => {
      const info = guard.tcpInfo;
      return isUnread(socket, info) ? 0 : (info?.lastDataRecv ?? Infinity);
    },
    giveUp: waited => {
      const message = `no byte came back within ${Math.round(waited)} ms of a heartbeat`;
      socket.destroy(new HoldfastError('ERR_HOLDFAST_HEARTBEAT_TIMEOUT', message));
    },
    fail: error => void socket.destroy(error),
    report: rtt => guard.context.hooks.heartbeat?.(guard, rtt),
  });
}

/** A beat behind other data, behind a cork, before the end of a TLS handshake or after `end()` would say nothing. */
function isIdle(socket: Socket): boolean {
  const { secureConnecting } = socket as { secureConnecting?: boolean };
  return (
    socket.writable &&
    !socket.connecting &&
    socket.writableLength === 0 &&
    socket.writableCorked === 0 &&
    secureConnecting !== true
  );
}

/**
 * What a reader does not take, here or in the kernel, may fill the window, and then no answer can come: that is not the
 * peer's silence.
 */
function isUnread(socket: Socket, info: TcpInfo | undefined): boolean {
  if (socket.readableLength > 0) return true;
  const read = tcpHandle(socket)?.bytesRead;
  return read !== undefined && (info?.bytesReceived ?? 0) > read;
}
