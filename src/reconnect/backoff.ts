import type { ResolvedReconnect } from '../options/types.js';

export type Backoff = Pick<ResolvedReconnect, 'minTimeout' | 'maxTimeout' | 'factor'>;

/**
 * The wait before retry `step`, counting from 0. Full jitter over the capped delay, so that thousands of clients which
 * lost their connections together do not come back together, not even once all of them wait for the maximum.
 *
 * @param random returns a number of at least 0 and below 1
 */
export function backoffDelay(
  step: number,
  { minTimeout, maxTimeout, factor }: Backoff,
  random: () => number,
): number {
  // factor ** step becomes Infinity for large steps: the minimum is then the cap. 0 * Infinity would be NaN.
  const grown = minTimeout === 0 ? 0 : minTimeout * factor ** step;
  return random() * Math.min(maxTimeout, grown);
}
