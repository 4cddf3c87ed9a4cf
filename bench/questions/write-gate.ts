import { once } from 'node:events';
import { Socket } from 'node:net';
import { median } from '../harness/statistics.js';
import type { SampleQuestion } from '../question.js';

const CALLS = 200_000;
const REPEATS = 9;
const MESSAGE = Buffer.alloc(64);

/** A connected socket whose own write and push do nothing, so that what is left is the covers over them. */
class HollowSocket extends Socket {
  override _write(_chunk: unknown, _encoding: BufferEncoding, callback: () => void): void {
    callback();
  }
  override push(_chunk: unknown): boolean {
    return true;
  }
}

/** What a guard adds to each write and each received chunk while the connection is in use. */
export const writeGate: SampleQuestion = {
  kind: 'sample',
  name: 'write-gate',
  asks: "the gate's fast path: _write() and push() of a socket where both do nothing, without and with a guard",
  base: 'bare',
  metrics: [
    { name: 'write', unit: 'ns' },
    { name: 'push', unit: 'ns' },
  ],
  contenders: ['hardened'],
  async sample(contender, { port }) {
    const socket = new HollowSocket();
    socket.connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    if (contender === 'hardened') {
      const { harden } = await import('../../src/index.js');
      if (harden(socket).settings === undefined) throw new Error('harden() did not guard the socket');
    }
    let called = 0;
    const count = (): void => {
      called += 1;
    };
    const write = nanosecondsEach(() => socket._write(MESSAGE, 'utf8', count));
    const push = nanosecondsEach(() => socket.push(MESSAGE));
    // The first repeat, which warms up, is run but not kept.
    if (called !== CALLS * (REPEATS + 1)) throw new Error(`${called} writes came through`);
    return { write, push };
  },
};

function nanosecondsEach(act: () => unknown): number {
  const runs = Array.from({ length: REPEATS + 1 }, () => {
    const start = performance.now();
    for (let call = 0; call < CALLS; call += 1) act();
    return ((performance.now() - start) * 1e6) / CALLS;
  });
  return median(runs.slice(1));
}
