import { expect } from 'chai';
import { HoldfastError } from '../../../src/errors.js';
import { HoldTimer } from '../../../src/reconnect/hold-timer.js';
import { IdleTimeout, requireTimeout } from '../../../src/reconnect/idle-timeout.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('hold timer', () => {
  it('fires once at its time, however often its hold is changed', () => {
    const clock = new FakeClock();
    let fired = 0;
    const timer = new HoldTimer(clock, 100, () => fired++, true);
    clock.advance(60);
    timer.setHold(false);
    timer.setHold(true);
    clock.advance(39);
    expect(fired).to.equal(0);
    clock.advance(1);
    expect(fired).to.equal(1);
    timer.setHold(false);
    expect(clock.pending).to.be.empty;
  });

  it('is gone when cancelled, and setHold does not bring it back', () => {
    const clock = new FakeClock();
    const timer = new HoldTimer(clock, 100, () => expect.fail('fired'), true);
    timer.cancel();
    timer.setHold(true);
    expect(clock.pending).to.be.empty;
  });
});

describe('idle timeout', () => {
  it('starts again with activity, and tells once for each silence', () => {
    const clock = new FakeClock();
    let told = 0;
    const timeout = new IdleTimeout(clock, 100, () => told++);
    clock.advance(99);
    timeout.touch();
    clock.advance(99);
    expect(told).to.equal(0);
    clock.advance(1000);
    expect(told).to.equal(1);
    timeout.touch();
    clock.advance(100);
    expect(told).to.equal(2);
  });

  it('does not hold the process', () => {
    const clock = new FakeClock();
    new IdleTimeout(clock, 100, () => undefined);
    expect(clock.pending).to.deep.equal([{ in: 100, hold: false }]);
  });

  it('refuses what is no duration', () => {
    for (const bad of [-1, NaN, Infinity, '5', undefined, null]) {
      expect(() => requireTimeout(bad))
        .to.throw(HoldfastError)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
    expect(() => requireTimeout(0)).not.to.throw();
  });
});
