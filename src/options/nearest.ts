import { distance } from 'fastest-levenshtein';

/**
 * The candidate a person most likely meant, or undefined when none is close: at most a third of the longer name's
 * letters differ, or two (a swap of neighbours is two), but never all. Case does not count.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const differing = distance(wanted, candidate.toLowerCase());
    const longer = Math.max(wanted.length, candidate.length);
    const shorter = Math.min(wanted.length, candidate.length);
    if (differing < least && differing < shorter && differing <= Math.max(2, longer / 3)) {
      best = candidate;
      least = differing;
    }
  }
  return best;
}

/** The hint of a problem with a mistyped name. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const found = nearest(name, candidates);
  return found === undefined ? undefined : `did you mean ${found}?`;
}
