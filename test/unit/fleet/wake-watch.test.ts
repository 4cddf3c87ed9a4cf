import { expect } from 'chai';
import { WakeWatch } from '../../../src/fleet/wake-watch.js';
import { SleepyClock } from './sleepy-clock.js';

describe('the wake watch', () => {
  let clock: SleepyClock;
  let woke: number[];
  let watch: WakeWatch;
  let ticks: number;

  beforeEach(() => {
    clock = new SleepyClock();
    woke = [];
    ticks = 0;
    watch = new WakeWatch(
      clock,
      asleep => woke.push(asleep),
      () => ticks++,
    );
    watch.start();
  });

  it('stays quiet while both clocks agree', () => {
    watch.start();
    clock.advance(60_000);
    expect(ticks).to.equal(6);
    expect(woke).to.deep.equal([]);
  });

  it('notices a machine that slept: the wall clock ran ahead', () => {
    clock.advance(10_000);
    clock.suspendMachine(3_600_000);
    clock.advance(30_000);
    expect(woke).to.deep.equal([3_600_000]);
  });

  it('notices a process that was stopped: its timer fires late', () => {
    clock.stopProcess(30_000);
    clock.advance(30_000);
    expect(woke).to.deep.equal([30_000]);
  });

  it('takes a clock that was set back, and a busy loop, for no sleep', () => {
    clock.suspendMachine(-3_600_000);
    clock.advance(10_000);
    clock.stopProcess(4000);
    clock.advance(60_000);
    expect(woke).to.deep.equal([]);
  });

  it('never holds the process open, and leaves no timer behind', () => {
    expect(clock.pending).to.deep.equal([{ in: 10_000, hold: false }]);
    watch.stop();
    watch.stop();
    expect(clock.pending).to.deep.equal([]);
  });
});
