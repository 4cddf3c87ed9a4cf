import type { Duplex } from 'node:stream';
import { ACKNOWLEDGEMENT } from '../harness/header.js';
import type { StreamQuestion } from '../question.js';

/** A promise for the server's next word that a slice arrived whole. */
export function acknowledgements(socket: Duplex): () => Promise<void> {
  const waiting = new Waiting();
  socket.on('data', (chunk: Buffer) =>
    waiting.check(() => {
      if (!chunk.equals(ACKNOWLEDGEMENT))
        throw new Error('the server said something else than its acknowledgement');
      return true;
    }),
  );
  return () => waiting.start();
}

/** One slice's wait for its last byte. */
export class Waiting {
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Runs a receiver's check: true ends the slice, what it throws fails it. */
  check(isComplete: () => boolean): void {
    try {
      if (isComplete()) this.#resolve?.();
    } catch (error) {
      this.#reject?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

export function mebibytesPerSecond(bytes: number): StreamQuestion['rate'] {
  return { unit: 'MiB/s', of: ms => bytes / 2 ** 20 / (ms / 1000) };
}

export function microsecondsEach(count: number, unit: string): StreamQuestion['rate'] {
  return { unit, of: ms => (ms * 1000) / count };
}
