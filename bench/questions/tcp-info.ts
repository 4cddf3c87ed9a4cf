import { once } from 'node:events';
import { openBare } from '../harness/contenders.js';
import { median } from '../harness/statistics.js';
import type { SampleQuestion } from '../question.js';

const CALLS = 2000;
const REPEATS = 9;

/** Reading the kernel: the peer's getsockopt of one number, and ours of the whole TCP_INFO record. */
export const tcpInfo: SampleQuestion = {
  kind: 'sample',
  name: 'tcp-info',
  asks: 'one getsockopt: getKeepAliveInterval() of net-keepalive, readTcpInfo() (hardened)',
  base: 'net-keepalive',
  metrics: [{ name: 'time', unit: 'us' }],
  contenders: ['hardened'],
  async sample(contender, address) {
    const socket = openBare(address);
    await once(socket, 'connect');
    let read: () => unknown;
    if (contender === 'hardened') {
      const { readTcpInfo } = await import('../../src/index.js');
      read = () => readTcpInfo(socket)?.rtt;
    } else {
      const { default: keepalive } = await import('net-keepalive');
      read = () => keepalive.getKeepAliveInterval(socket);
    }
    const runs = Array.from({ length: REPEATS + 1 }, () => {
      let numbers = 0;
      const start = performance.now();
      for (let call = 0; call < CALLS; call += 1) if (typeof read() === 'number') numbers += 1;
      const wall = performance.now() - start;
      if (numbers !== CALLS) throw new Error(`only ${numbers} of ${CALLS} reads gave a number`);
      return (wall * 1000) / CALLS;
    });
    return { time: median(runs.slice(1)) };
  },
};
