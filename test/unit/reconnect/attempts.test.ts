import { expect } from 'chai';
import fc from 'fast-check';
import type { ResolvedReconnect } from '../../../src/options/types.js';
import { Attempts, type AttemptsOptions, type FailedAttempt } from '../../../src/reconnect/attempts.js';
import { backoffDelay } from '../../../src/reconnect/backoff.js';
import { FakeClock } from '../../support/fake-clock.js';

const policy: ResolvedReconnect = {
  on: 'any',
  retries: 3,
  minTimeout: 100,
  maxTimeout: 1000,
  factor: 2,
  deadline: 500,
};

/** Lets promises settle; p-retry takes a few turns of its own. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

function rig(options: Partial<AttemptsOptions> = {}) {
  const clock = new FakeClock();
  const made: { attempt: number; delay: number; at: number }[] = [];
  const failures: FailedAttempt[] = [];
  const attempts = new Attempts({
    clock,
    policy,
    random: () => 0.5,
    of: 'outage',
    holdsProcess: true,
    attempt: (attempt, delay) => {
      made.push({ attempt, delay, at: clock.now() });
      return Promise.reject(new Error(`failure ${attempt}`));
    },
    failed: failure => {
      failures.push(failure);
      return true;
    },
    ...options,
  });
  return { clock, made, failures, attempts, start: clock.now() };
}

describe('backoff', () => {
  it('jitters after the cap: at the maximum delay clients are still spread over all of it', () => {
    const at = (random: number) => backoffDelay(20, policy, () => random);
    expect([at(0), at(0.25), at(0.5), at(0.999)]).to.deep.equal([0, 250, 500, 999]);
  });

  it('stays within the cap and the growing delay for any policy', () => {
    const times = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(
        fc.nat(5000),
        times,
        times,
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (step, minTimeout, more, factor, random) => {
          const maxTimeout = minTimeout + more;
          const delay = backoffDelay(step, { minTimeout, maxTimeout, factor }, () => random);
          expect(delay).to.be.within(0, maxTimeout);
          if (step === 0) expect(delay).to.be.at.most(minTimeout);
        },
      ),
    );
  });
});

describe('attempts', () => {
  it("spreads an outage's first attempt over minTimeout, then doubles up to the cap", async () => {
    const { clock, made, failures, attempts } = rig({ policy: { ...policy, retries: 6 } });
    const done = attempts.run();
    for (let turn = 0; turn < 7; turn++) {
      await settle();
      clock.advance(1000);
    }
    await done;
    expect(made.map(({ delay }) => delay)).to.deep.equal([50, 100, 200, 400, 500, 500, 500]);
    expect(failures.map(({ attempt, delay }) => [attempt, delay])).to.deep.equal(
      made.map(({ attempt, delay }) => [attempt, delay]),
    );
  });

  it('starts a first connect at once and synchronously, and waits before the next', async () => {
    const { clock, made, attempts, start } = rig({ of: 'first-connect' });
    const done = attempts.run();
    expect(made).to.deep.equal([{ attempt: 1, delay: 0, at: start }]);
    await settle();
    expect(clock.pending).to.deep.equal([{ in: 50, hold: true }]);
    attempts.stop();
    expect(await done).to.deep.equal({ outcome: 'stopped' });
  });

  it('makes no attempt before its delay is over', async () => {
    const { clock, made, attempts } = rig();
    const done = attempts.run();
    clock.advance(49);
    await settle();
    expect(made).to.be.empty;
    clock.advance(1);
    await settle();
    expect(made).to.have.length(1);
    attempts.stop();
    await done;
  });

  it('is exhausted after the first attempt and `retries` more', async () => {
    const { clock, made, attempts } = rig({ policy: { ...policy, retries: 2 } });
    const done = attempts.run();
    for (let turn = 0; turn < 5; turn++) {
      await settle();
      clock.advance(1000);
    }
    const outcome = await done;
    expect(made).to.have.length(3);
    expect(outcome).to.deep.include({ outcome: 'failed', attempts: 3, exhausted: true });
    expect(outcome).to.have.nested.property('error.message', 'failure 3');
  });

  it('makes one attempt where retries is 0', async () => {
    const { clock, made, attempts } = rig({ policy: { ...policy, retries: 0 } });
    const done = attempts.run();
    clock.advance(1000);
    expect(await done).to.deep.include({ outcome: 'failed', attempts: 1, exhausted: true });
    expect(made).to.have.length(1);
  });

  it('ends without being exhausted when another attempt makes no sense', async () => {
    const { clock, attempts } = rig({ failed: () => false });
    const done = attempts.run();
    clock.advance(1000);
    expect(await done).to.deep.include({ outcome: 'failed', attempts: 1, exhausted: false });
  });

  it('ends with the attempt that succeeds', async () => {
    let calls = 0;
    const { clock, attempts, failures } = rig({
      attempt: () => (++calls === 2 ? Promise.resolve() : Promise.reject(new Error('no'))),
    });
    const done = attempts.run();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(1000);
      await settle();
    }
    expect(await done).to.deep.equal({ outcome: 'connected' });
    expect(calls).to.equal(2);
    expect(failures).to.have.length(1);
  });

  it('leaves no timer when stopped while it waits, and makes no further attempt', async () => {
    const { clock, made, failures, attempts } = rig();
    const done = attempts.run();
    attempts.stop();
    attempts.stop();
    expect(await done).to.deep.equal({ outcome: 'stopped' });
    expect(clock.pending).to.be.empty;
    clock.advance(10_000);
    await settle();
    expect(made).to.be.empty;
    expect(failures).to.be.empty;
  });

  it('tells of no failure once stopped', async () => {
    let reject: (error: Error) => void = () => undefined;
    const { clock, failures, attempts } = rig({
      attempt: () => new Promise((_resolve, fail) => (reject = fail)),
    });
    const done = attempts.run();
    clock.advance(1000);
    await settle();
    attempts.stop();
    reject(new Error('late'));
    expect(await done).to.deep.equal({ outcome: 'stopped' });
    expect(failures).to.be.empty;
  });

  it('stops holding the process when told to while it waits, and keeps its time', () => {
    const { clock, attempts } = rig();
    void attempts.run();
    clock.advance(20);
    attempts.setHold(false);
    expect(clock.pending).to.deep.equal([{ in: 30, hold: false }]);
    attempts.setHold(true);
    expect(clock.pending).to.deep.equal([{ in: 30, hold: true }]);
    attempts.stop();
  });
});
