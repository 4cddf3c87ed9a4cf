/** A server that a suite has started. */
interface Started {
  /** Ends it and removes its data. Idempotent. */
  stop(): Promise<void>;
}

/**
 * For a `describe` block: starts a server before its tests, unless `requireIt` skips them, and ends it after them.
 *
 * @param limit milliseconds the start may take, where the suite's own timeout is too short for it
 * @returns the server; throws while there is none
 */
export function useServer<S extends Started>(
  requireIt: (this: Mocha.Context) => void,
  start: () => Promise<S>,
  { limit }: { readonly limit?: number } = {},
): () => S {
  let server: S | undefined;
  before(requireIt);
  before(async function () {
    if (limit !== undefined) this.timeout(limit);
    server = await start();
  });
  after(async () => {
    await server?.stop();
    server = undefined;
  });
  return () => {
    if (server === undefined) throw new Error('the server exists only while the suite runs');
    return server;
  };
}
