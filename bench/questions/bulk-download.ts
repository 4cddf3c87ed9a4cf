import { Receipt } from '../harness/pattern.js';
import type { StreamQuestion } from '../question.js';
import { mebibytesPerSecond, Waiting } from './shared.js';

const SLICE = 96 * 2 ** 20;
const REQUEST = Buffer.from('more');

export const bulkDownload: StreamQuestion = {
  kind: 'stream',
  name: 'bulk-download',
  asks: "'data' as fast as the server sends",
  tls: false,
  mode: 'source',
  sliceBytes: SLICE,
  rate: mebibytesPerSecond(SLICE),
  contenders: ['hardened', 'reconnecting'],
  aims: { hardened: 1.01, reconnecting: 0.91 },
  prepare(socket, { verified }) {
    const receipt = new Receipt(SLICE, verified);
    const waiting = new Waiting();
    socket.on('data', (chunk: Buffer) => waiting.check(() => receipt.add(chunk)));
    return () => {
      socket.write(REQUEST);
      return waiting.start();
    };
  },
};
