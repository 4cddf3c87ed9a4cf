import type { OnReadOpts, Socket } from 'node:net';

/** Where the bytes of a socket go. @returns false to stop reading */
export type Reader = (socket: Socket, chunk: Buffer) => boolean;

const SHARED_BYTES = 64 * 1024;
const SLAB_BYTES = 256 * 1024;
/** A slab with less room than this left is replaced: short reads cost more than memory. */
const LEAST_ROOM_BYTES = 64 * 1024;
/** A read this long (a full TLS record) means that data is streaming in, a shorter one that it no longer is. */
const BULK_BYTES = 16 * 1024;

/** One for the whole thread: between reads it holds nothing. */
let shared: Buffer | undefined;

/**
 * Node's `onread`: data goes to the reader without a pass through the socket's own queue. While little arrives all
 * sockets read into one shared buffer, and what came is copied out; once data streams in, reads fill consecutive slices
 * of a private slab, which are the reader's to keep.
 *
 * One `onread` serves all sockets and keeps nothing for any of them. Node calls `callback` as a method of the socket,
 * and `buffer` right behind it. Nothing breaks if it ever asks for a buffer at another time: each slice is given away
 * once.
 *
 * Where something is thrown in a callback of the tick that belongs to a read, and the process survives it, Node goes on
 * reading into the buffer of before: the slice that was just given away. Such a process gets copies, and no socket of it
 * ever changes its buffer.
 *
 * @param reader must not throw, for the same reason
 */
export function intake(reader: Reader, isSurvivable: () => boolean = survivesExceptions): OnReadOpts {
  let next: Buffer | undefined;
  return {
    buffer() {
      const given = next ?? (shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES));
      next = undefined;
      return given;
    },
    callback(this: unknown, length, buffer) {
      const isCautious = isSurvivable();
      const chunk = isCautious || buffer === shared ? copy(buffer, length) : view(buffer, length);
      const goesOn = reader(this as Socket, chunk);
      // Not before: what the reader does may open a socket, which asks for a buffer.
      if (isCautious) next = buffer as Buffer;
      // An idle socket keeps no slab.
      else next = length < BULK_BYTES ? undefined : sliceAfter(buffer, length);
      return goesOn;
    },
  };
}

function survivesExceptions(): boolean {
  return process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
}

function copy(buffer: Uint8Array, length: number): Buffer {
  const chunk = Buffer.allocUnsafe(length);
  chunk.set(buffer.subarray(0, length));
  return chunk;
}

function view({ buffer, byteOffset }: Uint8Array, length: number): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function sliceAfter(buffer: Uint8Array, length: number): Buffer {
  if (buffer === shared || buffer.length - length < LEAST_ROOM_BYTES) {
    return Buffer.allocUnsafeSlow(SLAB_BYTES);
  }
  return Buffer.from(buffer.buffer, buffer.byteOffset + length, buffer.length - length);
}
