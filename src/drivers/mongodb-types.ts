/** The part of a `MongoClient` the wrapper leans on. Any version of the driver that has it will do. */
export interface MongoClientLike {
  on(
    event: 'serverOpening' | 'serverClosed',
    listener: (event: { readonly address: string }) => void,
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
  readonly closed: boolean;
  tryNext(): Promise<unknown>;
  close(): Promise<unknown>;
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
