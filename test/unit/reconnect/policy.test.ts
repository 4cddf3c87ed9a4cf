import { expect } from 'chai';
import type { Cause } from '../../../src/guard/verdict.js';
import { HoldfastError } from '../../../src/errors.js';
import { reconnectsAfter, retriesFirstConnect } from '../../../src/reconnect/policy.js';
import { verdict } from './support/verdicts.js';

const CAUSES: readonly Cause[] = [
  'nat-eviction',
  'path-timeout',
  'peer-reset',
  'peer-closed',
  'peer-stalled',
  'refused',
  'unreachable',
  'local-close',
  'unknown',
];

describe('reconnect policy', () => {
  it("'nat' answers evictions and silent paths, and nothing else", () => {
    const answered = CAUSES.filter(cause => reconnectsAfter('nat', verdict(cause)));
    expect(answered).to.deep.equal(['nat-eviction', 'path-timeout']);
  });

  it("'any' answers everything but a local close", () => {
    const left = CAUSES.filter(cause => !reconnectsAfter('any', verdict(cause)));
    expect(left).to.deep.equal(['local-close']);
  });

  it('a function decides, and only true means yes', () => {
    const given = verdict('peer-reset');
    expect(reconnectsAfter(seen => seen === given, given)).to.equal(true);
    const truthy = (() => 'yes') as unknown as () => boolean;
    expect(reconnectsAfter(truthy, given)).to.equal(false);
  });

  it('a first connect is never repeated by default, and otherwise as for any death', () => {
    for (const cause of CAUSES) expect(retriesFirstConnect('nat', verdict(cause))).to.equal(false);
    expect(retriesFirstConnect('any', verdict('refused'))).to.equal(true);
    expect(retriesFirstConnect(() => false, verdict('refused'))).to.equal(false);
  });

  it('says so when the function throws', () => {
    const cause = new Error('boom');
    const bad = (): boolean => {
      throw cause;
    };
    expect(() => reconnectsAfter(bad, verdict('unknown')))
      .to.throw(HoldfastError, /reconnect\.on threw.*boom/)
      .that.includes({ code: 'ERR_HOLDFAST_RECONNECT_FAILED', cause });
  });
});
