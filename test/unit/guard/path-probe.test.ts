import { expect } from 'chai';
import { PathProbe, probeTimeoutFor, type ProbeOutcome } from '../../../src/guard/path-probe.js';
import type { TcpHandle } from '../../../src/kernel/handle.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakePath } from '../../support/fake-path.js';

function setUp({ silence = 10_000, timeout }: { silence?: number; timeout?: number } = {}) {
  const clock = new FakeClock();
  const path = new FakePath(clock, silence);
  const handle: TcpHandle = { fd: 3, setKeepAlive: () => 0 };
  const outcomes: ProbeOutcome[] = [];
  const ask = (): PathProbe | undefined =>
    PathProbe.ask({ handle, kernel: path.kernel, clock, timeout }, outcome => outcomes.push(outcome));
  return { clock, path, handle, outcomes, ask };
}

/** The probe's own timers: those of the fake network are further off. */
function looks(clock: FakeClock): readonly { readonly hold: boolean }[] {
  return clock.pending.filter(timer => timer.in <= 25);
}

describe('PathProbe', () => {
  it('finds a living path alive in one round trip', () => {
    const { clock, path, outcomes, ask } = setUp();
    ask();
    expect(outcomes).to.deep.equal([]);
    clock.advance(30);
    expect(outcomes).to.deep.equal([{ outcome: 'alive', rtt: 5 }]);
    expect(path.sent).to.equal(1);
  });

  it('finds a reset', () => {
    const { clock, path, outcomes, ask } = setUp();
    path.answer = () => 'resets';
    ask();
    clock.advance(30);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['reset']);
  });

  it('finds a reset that is already there', () => {
    const { clock, path, outcomes, ask } = setUp();
    path.fields = { state: 7 };
    ask();
    clock.advance(1);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['reset']);
  });

  it('calls a path silent only after the whole timeout and three keepalives', () => {
    const { clock, path, outcomes, ask } = setUp({ timeout: 900 });
    path.answer = () => 'is lost';
    ask();
    clock.advance(899);
    expect(outcomes).to.deep.equal([]);
    clock.advance(100);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['silent']);
    expect(path.sent).to.equal(3);
  });

  it('survives the loss of all keepalives but the last', () => {
    for (const lost of [1, 2]) {
      const { clock, path, outcomes, ask } = setUp({ timeout: 900 });
      path.answer = n => (n < lost ? 'is lost' : 'acknowledges');
      ask();
      clock.advance(2000);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['alive']);
      expect(path.sent).to.equal(lost + 1);
    }
  });

  it('asks three times even where a busy loop slept through the timeout', () => {
    const { clock, path, outcomes, ask } = setUp({ timeout: 300 });
    path.answer = n => (n === 0 ? 'is lost' : 'acknowledges');
    ask();
    // The first look comes 5 s late: the fake path has had one keepalive only.
    const { now } = clock;
    clock.now = () => now.call(clock) + 5000;
    clock.advance(1);
    expect(outcomes).to.deep.equal([]);
    expect(path.sent).to.equal(2);
    clock.advance(50);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['alive']);
  });

  it('waits until a path heard from less than a second ago can be asked, and does not count that as round trip', () => {
    const { clock, path, outcomes, ask } = setUp({ silence: 400 });
    ask();
    clock.advance(590);
    expect(path.sent).to.equal(0);
    expect(outcomes).to.deep.equal([]);
    clock.advance(60);
    expect(path.sent).to.equal(1);
    expect(outcomes).to.deep.equal([{ outcome: 'alive', rtt: 5 }]);
  });

  it('takes a keepalive of the kernel’s own for the answer, heard since the caller found the path silent', () => {
    const { clock, path, handle, outcomes } = setUp({ silence: 1003 });
    const { kernel } = path;
    const seen = path.tcpInfo();
    path.heardAt = clock.now();
    PathProbe.ask({ handle, kernel, clock, timeout: undefined, seen }, outcome => outcomes.push(outcome));
    clock.advance(1);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['alive']);
  });

  it('does not take what was heard before it began for an answer', () => {
    const { clock, path, outcomes, ask } = setUp({ silence: 0, timeout: 300 });
    path.answer = () => 'is lost';
    ask();
    clock.advance(1250);
    expect(outcomes).to.deep.equal([]);
    clock.advance(100);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['silent']);
  });

  it('takes any traffic for life, however regular', () => {
    const { clock, path, outcomes, ask } = setUp({ silence: 0 });
    path.answer = () => 'is lost';
    ask();
    // Always heard at the same distance before a look: the readings alone never fall.
    for (let beat = 0; beat < 8; beat++) {
      path.heardAt = clock.now();
      clock.advance(25);
    }
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['alive']);
  });

  it('takes acknowledged data in flight for the answer', () => {
    const { clock, path, outcomes, ask } = setUp();
    path.answer = () => 'is lost';
    path.fields = { unacked: 1, bytesSent: 10, bytesAcked: 1, lastAckRecv: 0, lastDataRecv: 0 };
    ask();
    path.fields = { ...path.fields, unacked: 0, bytesAcked: 11 };
    clock.advance(1);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['alive']);
  });

  it('gives data in flight time for a retransmission', () => {
    const { clock, path, outcomes, ask } = setUp();
    path.answer = () => 'is lost';
    path.fields = { unacked: 1, bytesSent: 10 };
    ask();
    clock.advance(900);
    expect(outcomes).to.deep.equal([]);
    clock.advance(300);
    expect(outcomes).to.have.lengthOf(1);
  });

  it('waits 8 round trips, within 250 ms and 3 s', () => {
    expect([1, 50, 200, 1000].map(probeTimeoutFor)).to.deep.equal([250, 400, 1600, 3000]);
  });

  for (const answer of ['acknowledges', 'resets', 'is lost'] as const) {
    it(`restores the settings, the idle time first, when the peer ${answer === 'is lost' ? 'is silent' : answer}`, () => {
      const { clock, path, ask } = setUp();
      const before = path.read();
      path.answer = () => answer;
      ask();
      expect(path.settings).to.deep.include({ keepalive: true, idle: 1000, count: 127, userTimeout: 0 });
      clock.advance(3000);
      expect(path.settings).to.deep.equal(before);
      const [first, second] = path.writes.slice(-2);
      expect(first).to.deep.equal({ idle: before.idle });
      expect(second).to.have.property('count', before.count);
      expect(looks(clock)).to.deep.equal([]);
    });
  }

  it('keeps the kernel’s own limits from killing the socket while it asks', () => {
    const { path, ask } = setUp();
    Object.assign(path.settings, { keepalive: true, idle: 1000, count: 1, userTimeout: 1000 });
    ask();
    const limits = path.writes.findIndex(write => write.count === 127 && write.userTimeout === 0);
    const asks = path.writes.findIndex(write => write.idle === 1000);
    expect(limits).to.be.at.least(0);
    expect(limits).to.be.below(asks);
  });

  it('works on a path whose keepalives are failing already', () => {
    const { clock, path, outcomes, ask } = setUp();
    path.fields = { probes: 2 };
    path.answer = () => 'is lost';
    ask();
    clock.advance(3000);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['silent']);
  });

  it('joins a second asker, so that neither takes lowered settings for the ones to restore', () => {
    const { clock, path, outcomes, ask } = setUp();
    const before = path.read();
    const first = ask();
    clock.advance(1);
    expect(ask()).to.equal(first);
    clock.advance(30);
    expect(outcomes).to.have.lengthOf(2);
    expect(path.sent).to.equal(1);
    expect(path.settings).to.deep.equal(before);
    expect(ask()).to.not.equal(first);
    clock.advance(3000);
  });

  it('restores settings that were changed while it asked, not the older ones', () => {
    const { clock, path, handle, outcomes, ask } = setUp();
    path.answer = n => (n < 2 ? 'is lost' : 'acknowledges');
    ask();
    PathProbe.around(handle, () => {
      expect(path.settings.idle).to.equal(7_200_000);
      path.kernel.apply(handle, { keepalive: true, idle: 5000, interval: 2000, count: 2, userTimeout: 9000 });
    });
    expect(path.settings.idle).to.equal(1000);
    clock.advance(3000);
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['alive']);
    expect(path.read()).to.deep.equal({
      keepalive: true,
      idle: 5000,
      interval: 2000,
      count: 2,
      userTimeout: 9000,
    });
  });

  it('is abandoned when the descriptor is gone, and when it is finished from outside, once', () => {
    const gone = setUp();
    gone.ask();
    gone.path.closed = true;
    gone.clock.advance(1);
    expect(gone.outcomes).to.deep.equal([{ outcome: 'abandoned' }]);

    const stopped = setUp();
    stopped.path.answer = () => 'is lost';
    const probe = stopped.ask();
    probe?.finish({ outcome: 'abandoned' });
    probe?.finish({ outcome: 'abandoned' });
    expect(stopped.outcomes).to.deep.equal([{ outcome: 'abandoned' }]);
    expect(looks(stopped.clock)).to.deep.equal([]);
  });

  it('can not start without an open descriptor', () => {
    const { path, ask, clock } = setUp();
    path.closed = true;
    expect(ask()).to.equal(undefined);
    expect(clock.pending).to.deep.equal([]);
  });

  it('holds the process open only when told to', () => {
    const { clock, path, ask } = setUp();
    path.answer = () => 'is lost';
    const probe = ask();
    const holds = (): boolean[] => looks(clock).map(({ hold }) => hold);
    expect(holds()).to.deep.equal([false]);
    probe?.holdOpen();
    expect(holds()).to.deep.equal([true]);
    clock.advance(3000);
  });
});
