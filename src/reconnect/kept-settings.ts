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

/** What a caller set on the session's socket, for each physical one. */
export class KeptSettings {
  #isRefed = true;
  #noDelay: boolean | undefined;
  #keepAlive: readonly [boolean | undefined, number | undefined] | undefined;

  /** Whether the session keeps the process alive. */
  get isRefed(): boolean {
    return this.#isRefed;
  }

  applyTo(socket: Socket): void {
    if (this.#noDelay !== undefined) socket.setNoDelay(this.#noDelay);
    if (this.#keepAlive !== undefined) socket.setKeepAlive(...this.#keepAlive);
    if (!this.#isRefed) socket.unref();
  }

  setHold(isRefed: boolean, socket: Socket | undefined): void {
    this.#isRefed = isRefed;
    if (isRefed) socket?.ref();
    else socket?.unref();
  }

  setNoDelay(noDelay: boolean, socket: Socket | undefined): void {
    this.#noDelay = noDelay;
    socket?.setNoDelay(noDelay);
  }

  setKeepAlive(
    enable: boolean | undefined,
    initialDelay: number | undefined,
    socket: Socket | undefined,
  ): void {
    this.#keepAlive = [enable, initialDelay];
    socket?.setKeepAlive(enable, initialDelay);
  }
}
