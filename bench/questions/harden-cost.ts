import { once } from 'node:events';
import type { Socket } from 'node:net';
import { openBare } from '../harness/contenders.js';
import type { Contender, SampleQuestion } from '../question.js';

const SOCKETS = 600;
const WARM_UP = 200;

/** Making one connected socket safe: what a service does today, by hand with net-keepalive, and harden(). */
export const hardenCost: SampleQuestion = {
  kind: 'sample',
  name: 'harden-cost',
  asks: 'one call on a connected socket: setKeepAlive(), that and the three setters of net-keepalive, harden()',
  base: 'set-keepalive',
  metrics: [
    { name: 'time', unit: 'us' },
    { name: 'cpu', unit: 'us' },
  ],
  contenders: ['net-keepalive', 'hardened'],
  async sample(contender, address) {
    const apply = await applier(contender);
    const sockets = Array.from({ length: SOCKETS }, () => openBare(address));
    await Promise.all(sockets.map(socket => once(socket, 'connect')));
    for (const socket of sockets.slice(0, WARM_UP)) apply(socket);
    const measured = sockets.slice(WARM_UP);
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (const socket of measured) apply(socket);
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { time: (wall * 1000) / measured.length, cpu: (user + system) / measured.length };
  },
};

async function applier(contender: Contender): Promise<(socket: Socket) => void> {
  if (contender === 'hardened') {
    const { harden } = await import('../../src/index.js');
    return socket => {
      const { settings } = harden(socket);
      if (settings?.idle.effective !== 30_000) throw new Error('harden() did not set what it should');
    };
  }
  if (contender === 'set-keepalive') return socket => void socket.setKeepAlive(true, 30_000);
  const { default: keepalive } = await import('net-keepalive');
  return socket => {
    socket.setKeepAlive(true, 30_000);
    const done =
      keepalive.setKeepAliveInterval(socket, 10_000) &&
      keepalive.setKeepAliveProbes(socket, 3) &&
      keepalive.setUserTimeout(socket, 60_000);
    if (!done) throw new Error('net-keepalive did not set what it should');
  };
}
