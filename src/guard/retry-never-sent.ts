import { systemClock, type Clock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import { timeOfDeath } from './autopsy.js';
import { verdictOf } from './verdict-of.js';

export interface RetryNeverSentOptions {
  /** How often `fn` may be called again after the first call, 0 to 100. Default 1. */
  readonly retries?: number | undefined;
}

const MOST_RETRIES = 100;
/** The kernel's stamps are this coarse (one jiffy at 100 Hz): a byte sent this shortly before the call may be after it. */
const STAMP_MS = 10;

/**
 * Calls `fn`, and calls it again only where that can't do its work twice: the error's verdict says `never-sent`, and no
 * byte left that socket since `fn` was called. The second condition matters where requests share a socket: an earlier
 * request that was sent and not answered gets the same error, and is not repeated.
 *
 * @throws what `fn` threw last; HoldfastError ERR_HOLDFAST_ARGUMENT for a wrong `retries`
 */
export function retryNeverSent<T>(
  fn: () => T | PromiseLike<T>,
  options: RetryNeverSentOptions = {},
  clock: Clock = systemClock,
): Promise<T> {
  const { retries = 1 } = options;
  if (!Number.isInteger(retries) || retries < 0 || retries > MOST_RETRIES) {
    throw new HoldfastError(
      'ERR_HOLDFAST_ARGUMENT',
      `retryNeverSent: retries must be a whole number from 0 to ${MOST_RETRIES}, and is ${String(retries)}`,
    );
  }
  if (typeof fn !== 'function') {
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', `retryNeverSent takes a function, and got ${typeof fn}`);
  }
  return attempt(fn, retries, clock);
}

async function attempt<T>(fn: () => T | PromiseLike<T>, retries: number, clock: Clock): Promise<T> {
  for (let left = retries; ; left--) {
    const calledAt = clock.now();
    try {
      return await fn();
    } catch (error) {
      if (left === 0 || !isSafe(error, calledAt)) throw error;
    }
  }
}

function isSafe(error: unknown, calledAt: number): boolean {
  const verdict = verdictOf(error);
  if (verdict?.delivery !== 'never-sent') return false;
  const { tcpInfo, bytes } = verdict;
  // A connection that was never made, or never used, sent nothing.
  if (tcpInfo === undefined || bytes.sent === 0 || bytes.sent === undefined) return true;
  const at = timeOfDeath(verdict);
  return at !== undefined && at - tcpInfo.lastDataSent + STAMP_MS <= calledAt;
}
