import { Readable, Writable } from 'node:stream';
import { piecesOf, Receipt } from '../harness/pattern.js';
import type { StreamQuestion } from '../question.js';
import { mebibytesPerSecond, Waiting } from './shared.js';

const PIECE = 64 * 1024;
const SLICE = 512 * PIECE;

export const pipe: StreamQuestion = {
  kind: 'stream',
  name: 'pipe',
  asks: 'readable.pipe(socket) to an echo and socket.pipe(writable) back',
  tls: false,
  mode: 'echo',
  sliceBytes: SLICE,
  rate: mebibytesPerSecond(SLICE),
  contenders: ['hardened', 'reconnecting'],
  aims: { hardened: 1.01, reconnecting: 1.01 },
  prepare(socket, { verified }) {
    const pieces = piecesOf(SLICE, PIECE);
    const receipt = new Receipt(SLICE, verified);
    const waiting = new Waiting();
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        waiting.check(() => receipt.add(chunk));
        callback();
      },
    });
    socket.pipe(sink);
    return () => {
      const done = waiting.start();
      let next = 0;
      const source = new Readable({
        read() {
          this.push(next < pieces.length ? pieces[next++] : null);
        },
      });
      // The same connection serves every slice.
      source.pipe(socket, { end: false });
      return done;
    };
  },
};
