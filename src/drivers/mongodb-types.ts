/** What the wrapper hears of one pooled connection. */
export interface PoolEvent {
  readonly address: string;
  readonly connectionId: unknown;
}

/** The part of a `MongoClient` the wrapper leans on. Any version of the driver that has it will do. */
export interface MongoClientLike {
  on(
    event: 'serverOpening' | 'serverClosed' | 'connectionPoolCreated',
    listener: (event: { readonly address: string }) => void,
  ): unknown;
  on(
    event: 'connectionReady' | 'connectionCheckedIn' | 'connectionClosed',
    listener: (event: PoolEvent) => void,
  ): unknown;
  // `never` accepts every signature of the driver's own.
  connect(...args: never[]): Promise<unknown>;
  db(...args: never[]): unknown;
}

/** The part of a `Collection` that `tail` leans on. */
export interface MongoCollectionLike {
  find(...args: never[]): MongoCursorLike;
  findOneAndDelete(...args: never[]): Promise<unknown>;
}

/** The part of a cursor that `tail` leans on. */
export interface MongoCursorLike {
  /** undefined until the server has opened it. */
  readonly id?: unknown;
  readonly closed: boolean;
  tryNext(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** The part of a `Collection`, a `Db` or a `MongoClient` that `changes` leans on. */
export interface MongoWatchable {
  watch(...args: never[]): MongoChangeStreamLike;
}

/** The part of a `ChangeStream` that `changes` leans on. */
export interface MongoChangeStreamLike extends MongoCursorLike {
  readonly resumeToken: unknown;
}

/** What a collection holds. Of the driver's methods `find` says least: its last overload, the one seen here, leaves it open. */
export type DocumentOf<T extends MongoCollectionLike> = Exclude<
  Awaited<ReturnType<T['findOneAndDelete']>>,
  null
>;

/** `find` with the arguments its overloads hide. */
export interface CollectionInside {
  find(
    filter: object,
    options: { tailable: true; awaitData: true; batchSize: number; maxAwaitTimeMS?: number },
  ): MongoCursorLike;
}

/** `watch` with the arguments its overloads hide. */
export interface WatchableInside {
  watch(pipeline: object[], options: object): ChangeStreamInside;
}

/** What of a `ChangeStream` is the driver's own affair. All of it may be missing. */
export interface ChangeStreamInside extends MongoChangeStreamLike {
  readonly cursor?: { readonly id?: unknown };
  _processErrorIteratorMode?: (error: Error) => Promise<void>;
}
