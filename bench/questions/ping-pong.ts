import { piecesOf, Receipt } from '../harness/pattern.js';
import type { StreamQuestion } from '../question.js';
import { microsecondsEach, Waiting } from './shared.js';

const MESSAGE = 64;
const ROUNDS = 1500;

export const pingPong: StreamQuestion = {
  kind: 'stream',
  name: 'ping-pong',
  asks: '64 bytes there and back, one message at a time',
  tls: false,
  mode: 'echo',
  sliceBytes: MESSAGE * ROUNDS,
  rate: microsecondsEach(ROUNDS, 'us a round trip'),
  contenders: ['hardened', 'reconnecting'],
  aims: { hardened: 1.01, reconnecting: 1.01 },
  prepare(socket, { verified }) {
    const messages = piecesOf(MESSAGE * ROUNDS, MESSAGE);
    const receipt = new Receipt(MESSAGE * ROUNDS, verified);
    const waiting = new Waiting();
    let next = 0;
    socket.on('data', (chunk: Buffer) => {
      waiting.check(() => {
        if (chunk.length !== MESSAGE) throw new Error(`an answer of ${chunk.length} bytes, not ${MESSAGE}`);
        return receipt.add(chunk);
      });
      if (next < messages.length) socket.write(messages[next++]);
    });
    return () => {
      next = 1;
      socket.write(messages[0]);
      return waiting.start();
    };
  },
};
