import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { opener } from '../harness/contenders.js';
import type { SampleQuestion } from '../question.js';

const CONNECTIONS = 5000;
const QUICK_CONNECTIONS = 1000;
/** Opened before the first look, so that code, shapes and pools are not counted as connections. */
const WARM_UP = 200;
/** Below what a listen queue holds. */
const BATCH = 200;

export const memory: SampleQuestion = {
  kind: 'sample',
  name: 'memory',
  asks: `memory of one idle connection, over ${CONNECTIONS} (--quick: ${QUICK_CONNECTIONS})`,
  base: 'bare',
  metrics: [
    { name: 'heap', unit: 'B', aims: { reconnecting: 1.4 } },
    { name: 'rss', unit: 'B' },
  ],
  contenders: ['hardened', 'reconnecting'],
  async sample(contender, address, quick) {
    const open = await opener(contender);
    const held: Duplex[] = [];
    const openMore = async (count: number): Promise<void> => {
      const sockets = Array.from({ length: count }, () => withListeners(open(address)));
      held.push(...sockets);
      await Promise.all(sockets.map(socket => once(socket, 'connect')));
    };
    await openMore(WARM_UP);
    const before = await settledMemory();
    const count = quick ? QUICK_CONNECTIONS : CONNECTIONS;
    for (let opened = 0; opened < count; opened += BATCH) await openMore(BATCH);
    const after = await settledMemory();
    const lost = held.filter(socket => socket.destroyed).length;
    if (held.length !== WARM_UP + count || lost > 0) throw new Error(`${lost} connections did not stay open`);
    return { heap: (after.heap - before.heap) / count, rss: (after.rss - before.rss) / count };
  },
};

function ignore(): void {
  // An idle connection has nothing to say; what is lost shows in the count.
}

/** What nobody's connection is without: a reader, and ears for its end. */
function withListeners(socket: Duplex): Duplex {
  return socket.on('data', ignore).on('error', ignore).on('close', ignore);
}

async function settledMemory(): Promise<{ heap: number; rss: number }> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss: anonymousMemory() ?? rss };
}

/** Of the resident memory the part that is the process's own, not its program files; Linux only. */
function anonymousMemory(): number | undefined {
  try {
    const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found === null ? undefined : Number(found[1]) * 1024;
  } catch {
    // No /proc: the whole resident size has to do.
    return undefined;
  }
}
