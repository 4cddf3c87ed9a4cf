import type { Socket } from 'node:net';
import { systemClock } from '../../clock.js';
import { tcpHandle } from '../../kernel/handle.js';
import type { Kernel } from '../../kernel/kernel.js';
import { IdleSocket } from './idle-socket.js';

/** What became of the connection that only the kernel's keepalive kept busy. Milliseconds since it was opened. */
export type ControlFate =
  | { readonly fate: 'alive'; readonly at: number }
  | { readonly fate: 'closed' | 'cut' | 'lost'; readonly at: number };

const SHORTEST_IDLE_MS = 1000;
const LONGEST_IDLE_MS = 15_000;
/** So that the control is never silent for more than a small part of what the trials are. */
const SHARE = 8;

/**
 * The control of the experiment: a connection as idle as the trials' but for TCP keepalives. A NAT counts those, so
 * the control outlives its limit; a server or a proxy that wants payload ends the control like any other.
 */
export class Control {
  readonly #idle: IdleSocket;
  readonly #kernel: Kernel;
  readonly #openedAt = systemClock.now();
  #idleTime = 0;
  #end: ControlFate | undefined;

  constructor(socket: Socket, kernel: Kernel) {
    this.#kernel = kernel;
    this.#idle = new IdleSocket(socket, kernel);
    void this.#idle.ended.then(({ how }) => {
      this.#end = { fate: how === 'error' ? 'lost' : how, at: systemClock.now() - this.#openedAt };
    });
    this.tune();
  }

  get fate(): ControlFate {
    return this.#end ?? { fate: 'alive', at: systemClock.now() - this.#openedAt };
  }

  /** Sends keepalives less often as time passes. To be called only while no trial has been lost. */
  tune(): void {
    const age = systemClock.now() - this.#openedAt;
    const seconds = Math.floor(Math.min(LONGEST_IDLE_MS, Math.max(SHORTEST_IDLE_MS, age / SHARE)) / 1000);
    const handle = tcpHandle(this.#idle.socket);
    if (handle === undefined || seconds * 1000 === this.#idleTime) return;
    this.#idleTime = seconds * 1000;
    this.#kernel.write(handle, {
      idle: this.#idleTime,
      interval: SHORTEST_IDLE_MS,
      count: 5,
      keepalive: true,
    });
  }

  hangUp(): void {
    this.#idle.socket.destroy();
  }
}
