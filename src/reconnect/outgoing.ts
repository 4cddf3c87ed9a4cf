import type { Socket } from 'node:net';
import type { Verdict } from '../guard/verdict.js';
import type { PendingWrites, UncertainBytes } from './events.js';

export interface WriteChunk {
  readonly chunk: Buffer;
  readonly encoding: BufferEncoding;
}
type WriteCallback = (error?: Error | null) => void;

/** What Writable hands over at once: one chunk, or all that gathered while the last was under way. */
interface Batch {
  readonly chunks: Buffer | readonly WriteChunk[];
  readonly bytes: number;
  readonly writes: number;
  readonly callback: WriteCallback;
  /** `held`: no generation was given it. */
  state: 'held' | 'handed-over' | 'done';
  /** Completed at the end of the tick at the earliest, so that Writable gathers the tick's writes into one. */
  waitsForTick: boolean;
}

/** Smaller writes than this wait for the end of the tick. Larger ones gain nothing by it and pipe() loses. */
const GATHER_BELOW_BYTES = 4096;

/**
 * The session's outgoing bytes over all generations. Writable keeps one batch outstanding at a time; this hands it to
 * the generation in use, keeps it while there is none, and knows what became of it when a generation dies.
 *
 * `_write` and `_writev` of the physical socket are called directly: they are the methods stream implementers provide,
 * and skip a second queue. The guard's write gate covers both.
 */
export class Outgoing {
  /** Writes not handed over. */
  #writesHeld = 0;
  /** Offset of the end of what was handed over. */
  #handed = 0;
  #batch: Batch | undefined;
  #sink: Socket | undefined;
  /** Where this generation began: the session's offset, and what the physical socket had written by then. */
  #startedAt = 0;
  #writtenBefore = 0;

  /** Bytes that Writable no longer counts: their write was called back. */
  get completed(): number {
    const batch = this.#batch;
    return batch === undefined || batch.state === 'held' ? this.#handed : this.#handed - batch.bytes;
  }

  /** A write was accepted. */
  count(): void {
    this.#writesHeld++;
  }

  take(chunks: Buffer | readonly WriteChunk[], callback: WriteCallback): void {
    const single = Buffer.isBuffer(chunks);
    const bytes = single ? chunks.length : chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
    this.#batch = {
      chunks,
      bytes,
      writes: single ? 1 : chunks.length,
      callback,
      state: 'held',
      waitsForTick: single && bytes < GATHER_BELOW_BYTES,
    };
    this.flow();
  }

  /** A new generation takes what comes; what is held goes out at the next {@link flow}. */
  attach(sink: Socket): void {
    this.#sink = sink;
    // What is held goes out outside of a write: called back at once, the caller's code would run in the middle of ours.
    if (this.#batch !== undefined) this.#batch.waitsForTick = true;
    this.#startedAt = this.#handed;
    this.#writtenBefore = sink.bytesWritten;
  }

  /** Hands over the batch that is held, if there is one and somebody to take it. */
  flow(): void {
    const batch = this.#batch;
    const sink = this.#sink;
    if (sink === undefined || batch?.state !== 'held') return;
    batch.state = 'handed-over';
    this.#handed += batch.bytes;
    this.#writesHeld -= batch.writes;
    if (batch.waitsForTick) process.nextTick(completeAtTick, this, batch);
    send(sink, batch.chunks, error => this.#done(batch, sink, error));
  }

  /** The generation is dying: nothing more is handed to it. */
  detach(): void {
    this.#sink = undefined;
  }

  /**
   * The generation is dead. A batch of which no byte reached its handle stays held, and goes out on the next one; any
   * other counts as sent, and what is not known to have arrived is reported.
   */
  lose(dead: Socket, verdict: Verdict, isSecure: boolean): UncertainBytes {
    this.detach();
    const entered = this.#startedAt + dead.bytesWritten - this.#writtenBefore;
    const batch = this.#batch;
    const unfinished = batch?.state === 'handed-over' ? batch : undefined;
    if (unfinished !== undefined && entered <= this.#handed - unfinished.bytes) {
      unfinished.state = 'held';
      this.#handed -= unfinished.bytes;
      this.#writesHeld += unfinished.writes;
    }
    const start = Math.min(this.#handed, this.#knownUpTo(verdict, isSecure, unfinished));
    if (unfinished?.state === 'handed-over') this.#settleLater(unfinished);
    return { bytes: this.#handed - start, start, end: this.#handed };
  }

  /** What has not been handed over, given how many bytes Writable holds. */
  pending(writableLength: number): PendingWrites {
    const bytes = this.completed + writableLength - this.#handed;
    return { bytes, writes: bytes === 0 ? 0 : this.#writesHeld };
  }

  /** The session is over. */
  abandon(error: Error): void {
    this.detach();
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch?.state === 'done') batch.callback();
    else batch?.callback(error);
  }

  /** The tick in which a small write was handed over is over. */
  tickOver(batch: Batch): void {
    batch.waitsForTick = false;
    if (batch.state === 'done') this.#complete(batch);
  }

  #done(batch: Batch, sink: Socket, error: Error | null | undefined): void {
    if (sink !== this.#sink || batch !== this.#batch) return;
    // Bypassing the physical socket's own queue, we must say ourselves that it is broken. lose() judges the batch.
    if (error) return void sink.destroy(error);
    if (!sink.destroyed) this.#settle(batch);
  }

  /** The session is between two states: the caller's code must not run yet. */
  #settleLater(batch: Batch): void {
    if (!batch.waitsForTick) process.nextTick(completeAtTick, this, batch);
    batch.waitsForTick = true;
    this.#settle(batch);
  }

  #settle(batch: Batch): void {
    batch.state = 'done';
    if (!batch.waitsForTick) this.#complete(batch);
  }

  #complete(batch: Batch): void {
    if (batch !== this.#batch) return;
    this.#batch = undefined;
    batch.callback();
  }

  #knownUpTo({ bytes, delivery }: Verdict, isSecure: boolean, unfinished: Batch | undefined): number {
    if (delivery === 'all-acknowledged' && unfinished === undefined) return this.#handed;
    const { acknowledged, unacknowledged, unsent } = bytes;
    if (acknowledged === undefined || unacknowledged === undefined || unsent === undefined) {
      return this.#startedAt;
    }
    if (!isSecure) return this.#startedAt + Math.max(0, acknowledged - this.#writtenBefore);
    // Ciphertext is longer than what it carries, so this many plain bytes at most are outstanding; of a batch that was
    // not finished the kernel may have none.
    const finished = unfinished?.state === 'handed-over' ? this.#handed - unfinished.bytes : this.#handed;
    return Math.max(this.#startedAt, finished - unacknowledged - unsent);
  }
}

function completeAtTick(outgoing: Outgoing, batch: Batch): void {
  outgoing.tickOver(batch);
}

function send(sink: Socket, chunks: Buffer | readonly WriteChunk[], done: WriteCallback): void {
  // A resume hook may have left writes of its own in the socket's queue: they go first.
  if (sink.writableLength > 0) return queue(sink, chunks, done);
  if (Buffer.isBuffer(chunks)) return sink._write(chunks, BUFFER, done);
  if (sink._writev === undefined) return queue(sink, chunks, done);
  return sink._writev(chunks as WriteChunk[], done);
}

// What Writable itself passes with a Buffer; not among the types.
const BUFFER = 'buffer' as BufferEncoding;

function queue(sink: Socket, chunks: Buffer | readonly WriteChunk[], done: WriteCallback): void {
  if (Buffer.isBuffer(chunks)) return void sink.write(chunks, done);
  sink.cork();
  chunks.forEach(({ chunk }, index) =>
    index === chunks.length - 1 ? sink.write(chunk, done) : sink.write(chunk),
  );
  sink.uncork();
}
