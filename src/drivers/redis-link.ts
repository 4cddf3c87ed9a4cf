import type { Duplex } from 'node:stream';
import { HoldfastError } from '../errors.js';
import { verdictOf } from '../guard/verdict-of.js';
import { Socket } from 'node:net';
import type { ClientAdapter } from './adapter.js';
import type { DriverSettings } from './driver-options.js';
import { GuardedClient } from './guarded-client.js';

/**
 * One connection of a client that replaces its connections by itself, as those of redis and ioredis do. It is what is
 * watched and kept awake; the client lives on.
 */
export interface Link {
  readonly stream: Duplex;
  /** Nothing is under way on it. */
  isIdle(): boolean;
  /** Sends a PING. */
  ping(): PromiseLike<unknown>;
}

export const linkAdapter: ClientAdapter<Link> = {
  onLost({ stream }, lost) {
    let cause: unknown;
    const remember = (error: unknown): void => void (cause ??= error);
    const onClose = (): void => {
      stop();
      lost(cause ?? lossOf(stream));
    };
    const stop = (): void => void stream.off('error', remember).off('close', onClose);
    stream.on('error', remember).on('close', onClose);
    return stop;
  },
  close: ({ stream }) => stream.destroy(),
  beat: link => link.ping(),
  isIdle: link => link.isIdle(),
  stream: ({ stream }) => stream,
};

/** What a connection that closed without an error was lost to; undefined: it was ended on this side. */
function lossOf(stream: Duplex): unknown {
  const verdict = stream instanceof Socket ? verdictOf(stream) : undefined;
  if (verdict === undefined || verdict.cause === 'local-close') return undefined;
  return new HoldfastError('ERR_HOLDFAST_CLOSED', 'the server closed the connection');
}

/** Hardens a connection, and beats on it while it is idle. */
export function guardLink(link: Link, settings: DriverSettings): GuardedClient<Link> {
  const guarded = new GuardedClient(link, linkAdapter, settings);
  // What the server sends by itself, such as a message on a channel, keeps the path open too.
  link.stream.on('data', () => guarded.used());
  return guarded;
}
