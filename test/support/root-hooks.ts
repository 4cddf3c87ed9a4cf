import { setImmediate as nextLoop } from 'node:timers/promises';

/**
 * Every test ends with no open handle and no unhandled rejection of its own making. Handles that were open before the
 * test (a server of a `before` hook) are nobody's fault.
 */

const WATCHED = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeWrap',
  'TLSWrap',
  'Timeout',
  'ProcessWrap',
  'UDPWRAP',
]);
const GRACE_LOOPS = 200;
const GRACE_MS = 3000;

function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (WATCHED.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function grown(before: ReadonlyMap<string, number>): string[] {
  return [...openResources()]
    .filter(([name, count]) => name !== 'Timeout' && count > (before.get(name) ?? 0))
    .map(([name, count]) => `${name}: ${before.get(name) ?? 0} before, ${count} after`);
}

let before = new Map<string, number>();
const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);

export const mochaHooks = {
  beforeAll(): void {
    process.on('unhandledRejection', onRejection);
  },
  beforeEach(): void {
    before = openResources();
    rejections.length = 0;
  },
  async afterEach(this: Mocha.Context): Promise<void> {
    const until = Date.now() + GRACE_MS;
    for (let loop = 0; grown(before).length > 0 && (loop < GRACE_LOOPS || Date.now() < until); loop++) {
      await nextLoop();
    }
    const left = grown(before);
    if (this.currentTest?.state === 'failed') return;
    if (rejections.length > 0) throw new Error(`unhandled rejection: ${String(rejections[0])}`);
    if (left.length > 0) throw new Error(`the test left open handles: ${left.join('; ')}`);
  },
  afterAll(): void {
    process.removeListener('unhandledRejection', onRejection);
  },
};
