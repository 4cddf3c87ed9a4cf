import { isIP, type Socket } from 'node:net';
import type { Target } from '../guard/verdict.js';

/** Both ends' addresses. */
export type Ends = {
  readonly [
    K in 'remoteAddress' | 'remotePort' | 'remoteFamily' | 'localAddress' | 'localPort' | 'localFamily'
  ]?: Socket[K] | undefined;
};

/** The ends of a socket that is about to go. After a reset the kernel has forgotten the peer: the guard has not. */
export function endsOf(socket: Socket, target: Target | undefined): Ends {
  const { localAddress, localPort, localFamily } = socket;
  const { address: remoteAddress, port: remotePort } = target ?? {};
  const remoteFamily = remoteAddress === undefined ? undefined : `IPv${isIP(remoteAddress)}`;
  return { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily };
}

/**
 * What is kept from one generation for the next: what the caller set on the session's socket, the TLS session, the last
 * addresses. Most sessions never have any of it, so it is made when the first comes.
 */
export class Kept {
  /** Whether the session keeps the process alive. */
  isRefed = true;
  noDelay: boolean | undefined;
  keepAlive: readonly [enable: boolean | undefined, initialDelay: number | undefined] | undefined;
  tlsSession: Buffer | undefined;
  ends: Ends | undefined;

  applyTo(socket: Socket): void {
    if (this.noDelay !== undefined) socket.setNoDelay(this.noDelay);
    if (this.keepAlive !== undefined) socket.setKeepAlive(...this.keepAlive);
    if (!this.isRefed) socket.unref();
  }
}
