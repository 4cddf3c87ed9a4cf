import type { StreamQuestion } from '../question.js';
import { acknowledgements, mebibytesPerSecond } from './shared.js';
import { piecesOf } from '../harness/pattern.js';

const PIECE = 64 * 1024;
const SLICE = 1024 * PIECE;

export const bulkUpload: StreamQuestion = {
  kind: 'stream',
  name: 'bulk-upload',
  asks: '64 KiB writes as fast as backpressure allows',
  tls: false,
  mode: 'sink',
  sliceBytes: SLICE,
  rate: mebibytesPerSecond(SLICE),
  contenders: ['hardened', 'reconnecting'],
  aims: { hardened: 1.01, reconnecting: 1.01 },
  prepare(socket) {
    const pieces = piecesOf(SLICE, PIECE);
    const acknowledged = acknowledgements(socket);
    let next = pieces.length;
    const pump = (): void => {
      while (next < pieces.length) {
        if (!socket.write(pieces[next++])) return;
      }
    };
    socket.on('drain', pump);
    return () => {
      next = 0;
      const done = acknowledged();
      pump();
      return done;
    };
  },
};
