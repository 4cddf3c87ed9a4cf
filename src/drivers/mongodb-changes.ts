import { CursorFollowing, type CursorKind, type Following, type FollowOptions } from './mongodb-follow.js';
import type {
  ChangeStreamInside,
  DocumentOf,
  MongoCollectionLike,
  MongoWatchable,
  WatchableInside,
} from './mongodb-types.js';

/** What `changes` takes beside what is watched. */
export interface ChangesOptions extends FollowOptions {
  /** Stages through which the changes go, as for `watch`. */
  readonly pipeline?: readonly object[] | undefined;
  /** The `_id` of the last change dealt with, or an earlier run's `position`. Default: starts with what happens now. */
  readonly since?: unknown;
  /** Further options of the driver's `watch`: `fullDocument`, `startAtOperationTime` and so on. */
  readonly watch?: object | undefined;
}

/** One change, as MongoDB tells it. A `pipeline` may have made something else of it. */
export interface Change<D> {
  /** The resume token. */
  readonly _id: unknown;
  readonly operationType: string;
  readonly fullDocument?: D | null;
  readonly documentKey?: { readonly _id: unknown };
  readonly ns?: { readonly db: string; readonly coll?: string };
  readonly clusterTime?: unknown;
  readonly [field: string]: unknown;
}

/** The changes of a collection, a database or a deployment. Its position is a resume token. */
export type Changes<D> = Following<Change<D>>;

/** What is changed: documents of a collection, or of any. */
export type ChangedIn<T> = T extends MongoCollectionLike ? DocumentOf<T> : Record<string, unknown>;

/** The options of `watch` that say where to start. The server takes one of them. */
const STARTS: ReadonlySet<string> = new Set(['resumeAfter', 'startAfter', 'startAtOperationTime']);

/**
 * The changes of a collection, a `Db` or a `MongoClient`, each one once, in order, for as long as you iterate. When the
 * connection or the cursor is lost another change stream goes on behind the last change, by its resume token. Give it
 * something of a hardened client: it is what notices that a connection is gone.
 *
 * The driver's own change stream resumes too, unseen, until one server selection fails (`serverSelectionTimeoutMS`).
 * This one goes on for as long as `reconnect` says, tells of each loss, and runs `resume`.
 *
 * @throws HoldfastError ERR_HOLDFAST_OPTIONS
 * @throws (while iterating) what the server refused, such as a resume token that its oplog no longer reaches
 * @example
 * const feed = changes(db.collection('orders'), { since: await lastToken(), pipeline: [{ $match: { operationType: 'insert' } }] });
 * for await (const change of feed) await apply(change.fullDocument, feed.position);
 */
export function changes<T extends MongoWatchable>(
  watched: T,
  options: ChangesOptions = {},
): Changes<ChangedIn<T>> {
  return new CursorFollowing(streamsOf(watched, options), options.since, options);
}

function streamsOf(
  watched: WatchableInside,
  { pipeline = [], watch }: ChangesOptions,
): CursorKind<ChangeStreamInside> {
  return {
    open(position, request) {
      const options = { ...watch, ...request };
      const stream = watched.watch(
        [...pipeline],
        position === undefined ? options : after(position, options),
      );
      resumeNothing(stream);
      return stream;
    },
    isOpen: ({ cursor }) => cursor?.id !== undefined && cursor.id !== null,
    // Of a batch without changes too: a token of long ago may be further back than the oplog reaches.
    positionOf: ({ resumeToken }) => resumeToken ?? undefined,
  };
}

/** `startAfter` does all that `resumeAfter` does, and goes on behind an invalidated stream as well. */
function after(position: unknown, options: object): object {
  const others = Object.entries(options).filter(([name]) => !STARTS.has(name));
  return { ...Object.fromEntries(others), startAfter: position };
}

/**
 * The driver would resume by itself: then nobody heard of the loss, and no hook ran. Where it does so in another way it
 * still does, and nothing is missed.
 */
function resumeNothing(stream: ChangeStreamInside): void {
  if (typeof stream._processErrorIteratorMode !== 'function') return;
  stream._processErrorIteratorMode = error => Promise.reject(error);
}
