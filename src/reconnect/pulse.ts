import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HoldfastError } from '../errors.js';
import { guardOf } from '../guard/cover.js';
import type { GuardContext } from '../guard/socket-guard.js';
import { Heartbeat } from '../heartbeat/heartbeat.js';
import type { ResolvedHeartbeat } from '../options/types.js';

export interface PulseOptions {
  readonly outer: Duplex;
  readonly times: ResolvedHeartbeat;
  readonly context: GuardContext;
  /** While the reader takes nothing, nothing can be heard, and that is not the peer's silence. */
  readonly isReading: () => boolean;
  readonly answered: (rtt: number) => void;
}

/**
 * A session's heartbeat: one for each generation. Beats are written to the session, so that they keep their place among
 * its writes. The guard's own heartbeat can't serve: it does not see what is read past
 * the physical socket's queue.
 */
export class Pulse {
  readonly #options: PulseOptions;
  #heartbeat: Heartbeat | undefined;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  start(physical: Socket): void {
    const { outer, times, context, isReading, answered } = this.#options;
    this.stop();
    this.#heartbeat = new Heartbeat(context.clock, times, {
      ready: () => outer.writable && outer.writableLength === 0 && outer.writableCorked === 0,
      send: () => {
        const payload = times.send(outer);
        if (payload !== undefined) outer.write(payload);
      },
      silence: () => (isReading() ? Infinity : 0),
      giveUp: waited => {
        const message = `no byte came back within ${Math.round(waited)} ms of a heartbeat`;
        physical.destroy(new HoldfastError('ERR_HOLDFAST_HEARTBEAT_TIMEOUT', message));
      },
      fail: error => void outer.destroy(error),
      report: rtt => {
        const guard = guardOf(physical);
        if (guard !== undefined) context.hooks.heartbeat?.(guard, rtt);
        answered(rtt);
      },
    });
  }

  /** Sees each received chunk. @returns what the reader is to get of it */
  received(chunk: Buffer): Buffer {
    return this.#heartbeat === undefined ? chunk : this.#heartbeat.received(chunk);
  }

  /** Idempotent. */
  stop(): void {
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
  }
}
