import { isDirect, isNarrow, type Bracket, type PlanOptions } from './plan.js';

/** Connecting and the probe's own answer. */
const OVERHEAD_MS = 500;

/**
 * How much longer it takes, as far as one can tell: the trials under way (`waits`: what is left of their silences),
 * and, once a limit is known, one more round where its bracket is still wide. Before the first loss nothing after the
 * longest trial is foreseen.
 */
export function timeLeft({ max }: PlanOptions, bracket: Bracket, waits: readonly number[]): number {
  const { high, low } = bracket;
  const longest = Math.max(0, ...waits);
  if (high === undefined) return (waits.length === 0 ? max - low : longest) + OVERHEAD_MS;
  if (isDirect(bracket) || isNarrow(bracket)) {
    // What is still under way is cut off at that moment too, or confirms it.
    return Math.min(longest, Math.max(high * 1.3, ...waits.filter(wait => wait < high))) + OVERHEAD_MS;
  }
  const thisRound = Math.min(longest, high);
  return thisRound + (waits.length > 0 && longest > high ? high : 0) + OVERHEAD_MS;
}
