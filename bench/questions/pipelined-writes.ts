import { piecesOf } from '../harness/pattern.js';
import type { StreamQuestion } from '../question.js';
import { acknowledgements, microsecondsEach } from './shared.js';

const MESSAGE = 64;
/** Writes of one tick: 6400 bytes, below every version's high-water mark. */
const BURST = 100;
const BURSTS = 120;
const SLICE = MESSAGE * BURST * BURSTS;

export const pipelinedWrites: StreamQuestion = {
  kind: 'stream',
  name: 'pipelined-writes',
  asks: `${BURST} writes of 64 bytes a tick (corked: a bare socket, cork() and uncork() by hand)`,
  tls: false,
  mode: 'sink',
  sliceBytes: SLICE,
  rate: microsecondsEach(BURST * BURSTS, 'us a write'),
  contenders: ['corked', 'hardened', 'reconnecting'],
  aims: { hardened: 1.01, reconnecting: 0.2 },
  prepare(socket, { contender }) {
    const messages = piecesOf(SLICE, MESSAGE);
    const acknowledged = acknowledgements(socket);
    const corks = contender === 'corked';
    let next = messages.length;
    const burst = (): void => {
      if (next >= messages.length) return;
      const end = next + BURST;
      let hasRoom = true;
      if (corks) socket.cork();
      while (next < end) hasRoom = socket.write(messages[next++]);
      if (corks) socket.uncork();
      if (hasRoom) setImmediate(burst);
    };
    socket.on('drain', () => setImmediate(burst));
    return () => {
      next = 0;
      const done = acknowledged();
      burst();
      return done;
    };
  },
};
