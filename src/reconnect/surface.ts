/**
 * What a caller's function threw is thrown again once we are done: it must not leave a session between two states. Not
 * at the end of the tick, which belongs to a read: where a tick throws, Node loses the buffer that `onread` gave it.
 */
export function surface(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
