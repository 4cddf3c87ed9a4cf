import { CursorFollowing, type CursorKind, type Following, type FollowOptions } from './mongodb-follow.js';
import type { CollectionInside, DocumentOf, MongoCollectionLike, MongoCursorLike } from './mongodb-types.js';

/** What `tail` takes beside the collection. */
export interface TailOptions extends FollowOptions {
  /**
   * A field that grows from each document to the next as they are inserted. Default: `_id`, which does where one process
   * inserts, or where you number the documents yourself.
   */
  readonly key?: string | undefined;
  /** The key of the last document dealt with. Default: starts with the oldest one in the collection. */
  readonly since?: unknown;
  /** Only these documents. */
  readonly filter?: object | undefined;
}

/** The documents of a capped collection as they are inserted. Its position is the `key` of the last one. */
export type Tail<D> = Following<D>;

/**
 * The documents of a capped collection, each one once, in order, for as long as you iterate. When the connection or the
 * cursor is lost another cursor goes on behind the last document. Give it a collection of a hardened client: it is what
 * notices that a connection is gone.
 *
 * @throws HoldfastError ERR_HOLDFAST_OPTIONS
 * @throws (while iterating) what the server refused
 * @example
 * for await (const entry of tail(db.collection('log'), { since: await lastApplied() })) await apply(entry);
 */
export function tail<T extends MongoCollectionLike>(
  collection: T,
  options: TailOptions = {},
): Tail<DocumentOf<T>> {
  return new CursorFollowing(cursorsOf(collection, options), options.since, options);
}

/** Tailable cursors of a collection. */
export function cursorsOf(
  collection: CollectionInside,
  { key = '_id', filter }: TailOptions,
): CursorKind<MongoCursorLike> {
  return {
    open(position, request) {
      const after = position === undefined ? {} : { [key]: { $gt: position } };
      return collection.find(filter === undefined ? after : { $and: [filter, after] }, {
        tailable: true,
        awaitData: true,
        ...request,
      });
    },
    isOpen: ({ id }) => id !== undefined && id !== null,
    positionOf: (_, document) =>
      document === null ? undefined : (document as Readonly<Record<string, unknown>>)[key],
  };
}
