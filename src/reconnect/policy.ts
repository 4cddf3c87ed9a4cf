import type { Verdict } from '../guard/verdict.js';
import { HoldfastError } from '../errors.js';
import type { ResolvedReconnect } from '../options/types.js';

export type ReconnectOn = ResolvedReconnect['on'];

/**
 * Whether a death is answered by a new connection.
 * @throws HoldfastError ERR_HOLDFAST_RECONNECT_FAILED when the caller's function throws
 */
export function reconnectsAfter(on: ReconnectOn, verdict: Verdict): boolean {
  switch (on) {
    case 'nat':
      return verdict.cause === 'nat-eviction' || verdict.cause === 'path-timeout';
    case 'any':
      return verdict.cause !== 'local-close';
    default:
      return ask(on, verdict);
  }
}

/**
 * Whether a first connect that failed is tried again. By default it is not: a NAT can't have forgotten a flow that
 * never was, and a caller with a wrong port wants to know at once.
 * @throws HoldfastError ERR_HOLDFAST_RECONNECT_FAILED when the caller's function throws
 */
export function retriesFirstConnect(on: ReconnectOn, verdict: Verdict): boolean {
  return on !== 'nat' && reconnectsAfter(on, verdict);
}

function ask(on: (verdict: unknown) => unknown, verdict: Verdict): boolean {
  try {
    return on(verdict) === true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the function given as reconnect.on threw, so the session ends: ${why}`;
    throw new HoldfastError('ERR_HOLDFAST_RECONNECT_FAILED', message, { cause: error, details: { verdict } });
  }
}
