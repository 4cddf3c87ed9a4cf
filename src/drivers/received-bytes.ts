import type { Socket } from 'node:net';
import { guardOf } from '../guard/cover.js';

/** By the kernel's count where there is one: it knows of bytes that a busy program has not read yet. */
export function receivedBytes(socket: Socket): number {
  return guardOf(socket)?.tcpInfo?.bytesReceived ?? socket.bytesRead;
}
