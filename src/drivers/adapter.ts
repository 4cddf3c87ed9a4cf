import type { Duplex } from 'node:stream';

/**
 * What the library needs to know about one driver's clients. One adapter serves all clients of a driver; what differs
 * from client to client is an argument.
 */
export interface ClientAdapter<C> {
  /**
   * Calls `lost` once, when the client can't be used any more, with what it died of. `undefined` says that it was ended
   * on this side on purpose: then a supervised session is over. An 'error' listener must stay behind where an event
   * without one ends the process.
   */
  onLost(client: C, lost: (error: unknown) => void): StopWatching;
  /** Ends a client, working or not. Must settle even where the path swallows everything. */
  close(client: C): unknown;
  /** Sends the driver's cheapest request and resolves with its answer. Called only when {@link isIdle}. */
  beat?(client: C): PromiseLike<unknown>;
  /** Nothing is under way, so a beat would not queue behind work. Left out: always. */
  isIdle?(client: C): boolean;
  /** The stream under the client as it is now: the TLS one after an upgrade. undefined where it is out of reach. */
  stream?(client: C): Duplex | undefined;
}

/** Takes off the listeners {@link ClientAdapter.onLost} added. Idempotent. */
export type StopWatching = () => void;
