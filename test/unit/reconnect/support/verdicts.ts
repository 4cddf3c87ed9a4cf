import type { Cause, Verdict } from '../../../../src/guard/verdict.js';

/** A verdict with nothing in it but what a test cares for. */
export function verdict(cause: Cause, rest: Partial<Verdict> = {}): Verdict {
  return {
    cause,
    confidence: 0.9,
    code: undefined,
    silence: undefined,
    delivery: 'uncertain',
    bytes: {
      sent: undefined,
      acknowledged: undefined,
      unacknowledged: undefined,
      unsent: undefined,
      queued: 0,
      received: undefined,
    },
    evidence: [],
    target: undefined,
    at: 0,
    ...rest,
  };
}
