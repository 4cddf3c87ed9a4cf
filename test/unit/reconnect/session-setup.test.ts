import { expect } from 'chai';
import { systemClock } from '../../../src/clock.js';
import { kernelFor } from '../../../src/kernel/kernel.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { shared, type SessionSetup } from '../../../src/reconnect/session-setup.js';

const base: SessionSetup = {
  target: { host: 'a', port: 1 },
  options: resolveOptions({}),
  context: { clock: systemClock, kernel: kernelFor('auto'), hooks: {} },
  random: () => 0.5,
  hooks: {},
};

describe("a session's setup", () => {
  it('is one object for sessions alike in all of it', () => {
    const one = shared(base);
    expect(shared({ ...base, target: { port: 1, host: 'a' } })).to.equal(one);
  });

  it('is not shared where anything differs, an option of the target included', () => {
    const others: readonly SessionSetup[] = [
      { ...base, target: { host: 'a', port: 2 } },
      { ...base, target: { host: 'a' } },
      { ...base, target: { host: 'a', port: 1, localAddress: undefined } },
      { ...base, target: { host: 'a', port: 1, tls: {} } },
      { ...base, options: resolveOptions({ maxPendingBytes: 5 }) },
      { ...base, context: { ...base.context } },
      { ...base, random: () => 0.5 },
      { ...base, hooks: {} },
    ];
    for (const other of others) {
      shared(base);
      expect(shared(other)).to.equal(other);
    }
  });
});
