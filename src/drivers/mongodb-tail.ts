import { systemClock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import { verdictOf } from '../guard/verdict-of.js';
import type { CollectionInside, DocumentOf, MongoCollectionLike, MongoCursorLike } from './mongodb-types.js';
import { supervise, type Supervised, type SuperviseOptions } from './supervise.js';

/** What `tail` takes beside the collection. */
export interface TailOptions extends Pick<SuperviseOptions<object>, 'reconnect' | 'holdfast'> {
  /**
   * A field that grows from each document to the next as they are inserted. Default: `_id`, which does where one process
   * inserts, or where you number the documents yourself.
   */
  readonly key?: string | undefined;
  /** The key of the last document dealt with. Default: starts with the oldest one in the collection. */
  readonly since?: unknown;
  /** Only these documents. */
  readonly filter?: object | undefined;
  /** Documents per request. Default 100. */
  readonly batchSize?: number | undefined;
  /** How long the server waits for a document before it answers with none. Default: the server's. */
  readonly maxAwaitTimeMS?: number | undefined;
}

/** The documents of a capped collection as they are inserted. */
export interface Tail<D> extends AsyncIterable<D> {
  /** The session under it, for its events. Its clients are cursors. */
  readonly session: Supervised<object>;
  /** The key of the last document given out. */
  readonly position: unknown;
  /** Ends the cursor and the iteration. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A cursor that was asked once, so that it is known to work. */
interface OpenCursor {
  readonly cursor: MongoCursorLike;
  first: unknown;
  lost: (error: unknown) => void;
}

const DEFAULT_BATCH = 100;
/** A server ends a tailable cursor that matches nothing yet. */
const EMPTY_PAUSE_MS = 500;
const NETWORK = /^Mongo(Network|ServerSelection|PoolCleared|NotConnected)/;
const CURSOR_NOT_FOUND = 43;

/**
 * The documents of a capped collection, each one once, in order, for as long as you iterate. When the connection or the
 * cursor is lost another cursor goes on behind the last document. Give it a collection of a hardened client: it is what
 * notices that a connection is gone.
 *
 * For a change stream you need nothing of this: the driver resumes it by its token once it has noticed.
 *
 * @throws (while iterating) what the server refused
 * @example
 * for await (const entry of tail(db.collection('log'), { since: await lastApplied() })) await apply(entry);
 */
export function tail<T extends MongoCollectionLike>(
  collection: T,
  options: TailOptions = {},
): Tail<DocumentOf<T>> {
  return new CursorTail(collection, options);
}

class CursorTail<D> implements Tail<D> {
  readonly session: Supervised<OpenCursor>;
  readonly #collection: CollectionInside;
  readonly #options: TailOptions;
  readonly #documents: AsyncGenerator<D, void, undefined>;
  #position: unknown;
  #isClosed = false;

  constructor(collection: CollectionInside, options: TailOptions) {
    this.#collection = collection;
    this.#options = options;
    this.#position = options.since;
    this.session = supervise<OpenCursor>({
      open: () => this.#open(),
      reconnect: options.reconnect,
      holdfast: options.holdfast,
      heartbeat: false,
      adapter: {
        onLost(open, lost) {
          open.lost = lost;
          return () => (open.lost = () => undefined);
        },
        close: ({ cursor }) => cursor.close(),
      },
    });
    this.#documents = this.#iterate();
  }

  get position(): unknown {
    return this.#position;
  }

  [Symbol.asyncIterator](): AsyncIterator<D> {
    return this.#documents;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<OpenCursor> {
    const { key = '_id', filter, batchSize = DEFAULT_BATCH, maxAwaitTimeMS } = this.#options;
    const after = this.#position === undefined ? {} : { [key]: { $gt: this.#position } };
    const options = { tailable: true, awaitData: true, batchSize } as const;
    const cursor = this.#collection.find(
      filter === undefined ? after : { $and: [filter, after] },
      maxAwaitTimeMS === undefined ? options : { ...options, maxAwaitTimeMS },
    );
    return { cursor, first: await cursor.tryNext(), lost: () => undefined };
  }

  async *#iterate(): AsyncGenerator<D, void, undefined> {
    const { key = '_id' } = this.#options;
    try {
      for (;;) {
        const open = await this.session.run(given => given);
        const found = await this.#next(open);
        if (found === null) continue;
        this.#position = (found as Record<string, unknown>)[key];
        yield found as D;
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    } finally {
      await this.close();
    }
  }

  /** null: nothing yet, or the cursor is lost and the next one goes on. */
  async #next(open: OpenCursor): Promise<unknown> {
    try {
      const found = open.first ?? (await open.cursor.tryNext());
      open.first = undefined;
      if (found !== null || !open.cursor.closed) return found;
    } catch (error) {
      if (this.#isClosed || !isLoss(error)) throw error;
      open.lost(error);
      return null;
    }
    await new Promise<void>(resolve => systemClock.after(EMPTY_PAUSE_MS, resolve, { hold: true }));
    open.lost(new HoldfastError('ERR_HOLDFAST_CLOSED', 'the server ended the cursor'));
    return null;
  }
}

function isLoss(error: unknown): boolean {
  if (verdictOf(error) !== undefined) return true;
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return code === CURSOR_NOT_FOUND || (typeof name === 'string' && NETWORK.test(name));
}
