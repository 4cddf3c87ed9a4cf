import type { Clock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import type { ClientAdapter } from './adapter.js';
import type { OpenAttempt } from './supervise.js';

/** A client that is watched from the moment it is there. A loss before anybody asked is told when somebody does. */
export class WatchedClient<C extends object> {
  readonly client: C;
  /** Takes the watch off. */
  readonly stop: () => void;
  /** Rejects when the client is lost. */
  readonly lost: Promise<never>;
  #loss: { readonly error: unknown } | undefined;
  #listener: ((error: unknown) => void) | undefined;

  constructor(client: C, adapter: ClientAdapter<C>) {
    this.client = client;
    let fail: (error: unknown) => void = () => undefined;
    this.lost = new Promise<never>((_, reject) => (fail = reject));
    this.lost.catch(() => undefined); // whoever races against it hears of it
    this.stop = adapter.onLost(client, error => {
      this.#loss = { error };
      fail(
        error ?? new HoldfastError('ERR_HOLDFAST_CLOSED', 'the client was ended while it was being resumed'),
      );
      this.#listener?.(error);
    });
  }

  onLost(listener: (error: unknown) => void): void {
    this.#listener = listener;
    if (this.#loss !== undefined) listener(this.#loss.error);
  }
}

export interface OpenOptions<C extends object> {
  readonly open: (attempt: OpenAttempt) => C | PromiseLike<C>;
  /** Restores the session; undefined for the first client. */
  readonly resume: ((client: C) => unknown) | undefined;
  readonly adapter: ClientAdapter<C>;
  readonly generation: number;
  /** Milliseconds for both hooks together. */
  readonly deadline: number;
  readonly clock: Clock;
  /** Aborted by the caller when the session is closed, and here at the deadline. */
  readonly limit: AbortController;
  /** Ends a client that came too late or could not be resumed. */
  readonly discard: (client: C) => void;
}

/**
 * One attempt: opens a client and restores the session on it.
 * @throws what `open` threw; HoldfastError ERR_HOLDFAST_RESUME_FAILED, ERR_HOLDFAST_DEADLINE; the reason of an abort
 */
export async function openClient<C extends object>(options: OpenOptions<C>): Promise<WatchedClient<C>> {
  const { open, adapter, generation, deadline, clock, limit, discard } = options;
  const { signal } = limit;
  const timer = clock.after(deadline, () => limit.abort(deadlineError(generation, deadline)), { hold: true });
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  aborted.catch(() => undefined); // told through the races below
  try {
    const opening = begin(() => open({ generation, signal }));
    opening.then(
      late => (signal.aborted ? discard(late) : undefined),
      () => undefined, // told through the race
    );
    const client = await Promise.race([opening, aborted]);
    const watched = new WatchedClient(client, adapter);
    try {
      await Promise.race([resumeOn(client, options), watched.lost, aborted]);
      signal.throwIfAborted();
      return watched;
    } catch (error) {
      watched.stop();
      discard(client);
      throw error;
    }
  } finally {
    timer.cancel();
  }
}

async function resumeOn<C extends object>(client: C, { resume, generation }: OpenOptions<C>): Promise<void> {
  try {
    await resume?.(client);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the resume hook failed on client ${generation}: ${why}`;
    throw new HoldfastError('ERR_HOLDFAST_RESUME_FAILED', message, { cause, details: { generation } });
  }
}

/** A hook that throws at once has rejected. */
async function begin<T>(fn: () => T | PromiseLike<T>): Promise<T> {
  return fn();
}

function deadlineError(generation: number, deadline: number): HoldfastError {
  const message = `client ${generation} was not open and resumed within ${deadline} ms (reconnect.deadline)`;
  return new HoldfastError('ERR_HOLDFAST_DEADLINE', message, { details: { generation } });
}
