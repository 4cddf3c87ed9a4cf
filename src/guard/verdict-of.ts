import { Socket } from 'node:net';
import { rememberedVerdict } from './autopsy.js';
import { guardOf } from './cover.js';
import type { Verdict } from './verdict.js';

/** Deep enough for every driver's wrapping; a bound, because `cause` can be circular. */
const DEEPEST = 16;

/**
 * The verdict behind an error or of a socket, following `error.cause` and the members of an AggregateError.
 * Drivers wrap the socket's error in their own: this finds it.
 * @returns undefined when no hardened socket died of it
 */
export function verdictOf(errorOrSocket: unknown): Verdict | undefined {
  if (errorOrSocket instanceof Socket) return guardOf(errorOrSocket)?.verdict;
  return search(errorOrSocket, DEEPEST, new Set());
}

function search(value: unknown, depth: number, seen: Set<object>): Verdict | undefined {
  if (depth === 0 || typeof value !== 'object' || value === null || seen.has(value)) return undefined;
  seen.add(value);
  const own = rememberedVerdict(value);
  if (own !== undefined) return own;
  // `errored` is what ended a stream: a reconnecting socket, or a driver's own round a hardened one.
  const { cause, errors, errored } = value as { cause?: unknown; errors?: unknown; errored?: unknown };
  const found = search(cause, depth - 1, seen) ?? search(errored, depth - 1, seen);
  if (found !== undefined || !Array.isArray(errors)) return found;
  for (const member of errors) {
    const inside = search(member, depth - 1, seen);
    if (inside !== undefined) return inside;
  }
  return undefined;
}
