import type { OnReadOpts } from 'node:net';

/** Where received bytes go. @returns false to stop reading */
export type Reader = (chunk: Buffer) => boolean;

const SHARED_BYTES = 64 * 1024;
const SLAB_BYTES = 256 * 1024;
/** A slab with less room than this left is replaced: short reads cost more than memory. */
const LEAST_ROOM_BYTES = 64 * 1024;
/** A read this long (a full TLS record) means that data is streaming in, a shorter one that it no longer is. */
const BULK_BYTES = 16 * 1024;

/** One for the whole thread: between reads it holds nothing. */
let shared: Buffer | undefined;

/**
 * Node's `onread`: data goes to the reader without a pass through the physical socket's own queue. While little
 * arrives all sockets read into one shared buffer, and what came is copied out; once data streams in, reads fill
 * consecutive slices of a private slab, which are the reader's to keep.
 */
export function intake(reader: Reader): OnReadOpts {
  let slab: Buffer | undefined;
  let filled = 0;
  return {
    buffer: () => {
      if (slab === undefined) return (shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES));
      if (slab.length - filled < LEAST_ROOM_BYTES) {
        slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
        filled = 0;
      }
      return filled === 0 ? slab : slab.subarray(filled);
    },
    callback: (length, buffer) => {
      if (slab === undefined || buffer === shared) {
        const chunk = Buffer.allocUnsafe(length);
        chunk.set(buffer.subarray(0, length));
        if (length >= BULK_BYTES) {
          slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
          filled = 0;
        }
        return reader(chunk);
      }
      filled += length;
      // An idle session keeps no slab.
      if (length < BULK_BYTES) slab = undefined;
      return reader(Buffer.from(buffer.buffer, buffer.byteOffset, length));
    },
  };
}
