import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { openBare } from '../harness/contenders.js';
import { ACKNOWLEDGEMENT, headerBytes } from '../harness/header.js';
import { median } from '../harness/statistics.js';
import type { Contender, SampleQuestion } from '../question.js';

const SOCKETS = 60;
const QUICK_SOCKETS = 20;
/** The kernel sends no keepalive on a connection heard from less than a second ago. */
const IDLE_MS = 1300;
const MESSAGE = Buffer.alloc(64, 'p');

/** How long "is this path alive?" takes: a message and its answer through the peer's application, and a probe. */
export const probe: SampleQuestion = {
  kind: 'sample',
  name: 'probe',
  asks: 'the answer on a connection idle for 1.3 s: a 64-byte message echoed (bare), probe() (hardened)',
  base: 'bare',
  metrics: [
    { name: 'time', unit: 'us' },
    { name: 'cpu', unit: 'us' },
  ],
  contenders: ['hardened'],
  async sample(contender, address, quick) {
    const sockets = Array.from({ length: quick ? QUICK_SOCKETS : SOCKETS }, () => openBare(address));
    await Promise.all(sockets.map(letIn));
    const ask = await asker(contender, sockets);
    await wait(IDLE_MS);
    const times: number[] = [];
    const cpu = process.cpuUsage();
    for (const socket of sockets) {
      const start = performance.now();
      await ask(socket);
      times.push((performance.now() - start) * 1000);
    }
    const { user, system } = process.cpuUsage(cpu);
    return { time: median(times), cpu: (user + system) / sockets.length };
  },
};

async function letIn(socket: Socket): Promise<void> {
  socket.write(headerBytes({ mode: 'echo', sliceBytes: 0, verified: 0 }));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.equals(ACKNOWLEDGEMENT)) throw new Error('the server did not let the client in');
}

async function asker(
  contender: Contender,
  sockets: readonly Socket[],
): Promise<(socket: Socket) => Promise<void>> {
  if (contender === 'bare') {
    return async socket => {
      socket.write(MESSAGE);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (!answer.equals(MESSAGE)) throw new Error('the echo is not what was sent');
    };
  }
  const library = await import('../../src/index.js');
  for (const socket of sockets) library.harden(socket);
  return async socket => {
    const { alive } = await library.probe(socket);
    if (!alive) throw new Error('a living path was called dead');
  };
}
