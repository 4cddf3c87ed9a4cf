/*
 * What the applications of this folder have in common. Those in `applications/` know nothing of holdfast: they use a
 * driver the way its documentation shows, at the address in LAB_URL. Those in `wrapped/` use holdfast's wrapper.
 */

import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../../support/describe-error.js';

/** One line of an application's output. */
export interface Line {
  /** It has done its work once and falls silent. */
  readonly isIdle?: true;
  /** What became of the work after the silence. Without `error` it was answered. */
  readonly error?: string;
  /** How long that took, in milliseconds. */
  readonly took?: number;
  /** Whether it succeeded some time later, where the first try after the silence failed. */
  readonly isUsableAgain?: boolean;
}

/** Where the server is. */
export const url = new URL(process.env['LAB_URL'] ?? '');

/** Works, is silent until a word comes on standard input, works again, and exits. */
export async function workTwice(work: () => Promise<unknown>): Promise<never> {
  await work();
  print({ isIdle: true });
  await new Promise(resolve => process.stdin.once('data', resolve));
  // Whatever has reached this host by now has been told before the work begins.
  for (let turn = 0; turn < 2; turn += 1) await setImmediate();
  const began = performance.now();
  const error = await errorOf(work);
  const took = performance.now() - began;
  print({ took, ...(error !== undefined && { error }) });
  if (error !== undefined) print({ isUsableAgain: await succeedsLater(work) });
  process.exit(0);
}

/** Whoever tries again at once may meet the dead connection once more, and a driver may take a second to reconnect. */
async function succeedsLater(work: () => Promise<unknown>): Promise<boolean> {
  for (let tries = 0; tries < 20; tries += 1) {
    await delay(100);
    if ((await errorOf(work)) === undefined) return true;
  }
  return false;
}

async function errorOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
