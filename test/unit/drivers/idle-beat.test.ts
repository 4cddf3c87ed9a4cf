import { expect } from 'chai';
import { IdleBeat, type BeatPort } from '../../../src/drivers/idle-beat.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Sent {
  answer(): void;
  refuse(): void;
}

class FakePort implements BeatPort {
  idle = true;
  bytes = 0;
  readonly sent: Sent[] = [];
  readonly gaveUp: number[] = [];
  isIdle(): boolean {
    return this.idle;
  }
  beat(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.sent.push({ answer: resolve, refuse: () => reject(new Error('no')) }),
    );
  }
  received(): number {
    return this.bytes;
  }
  giveUp(waited: number): void {
    this.gaveUp.push(waited);
  }
}

describe('IdleBeat', () => {
  let clock: FakeClock;
  let port: FakePort;
  let beat: IdleBeat;

  beforeEach(() => {
    clock = new FakeClock();
    port = new FakePort();
    beat = new IdleBeat(clock, { interval: 1000, timeout: 400 }, port);
  });

  it('beats after an interval without use, and again an interval after the answer', async () => {
    clock.advance(999);
    expect(port.sent).to.have.length(0);
    clock.advance(1);
    expect(port.sent).to.have.length(1);
    clock.advance(100);
    port.sent[0]?.answer();
    await settled();
    clock.advance(999);
    expect(port.sent).to.have.length(1);
    clock.advance(1);
    expect(port.sent).to.have.length(2);
  });

  it('counts the interval from the last use', () => {
    clock.advance(700);
    beat.used();
    clock.advance(999);
    expect(port.sent).to.have.length(0);
    clock.advance(1);
    expect(port.sent).to.have.length(1);
  });

  it('never beats behind running work', () => {
    port.idle = false;
    clock.advance(10_000);
    expect(port.sent).to.have.length(0);
    port.idle = true;
    clock.advance(1000);
    expect(port.sent).to.have.length(1);
  });

  it('never has two beats out', () => {
    clock.advance(1000);
    port.bytes = 1;
    clock.advance(400);
    port.bytes = 2;
    clock.advance(400);
    expect(port.sent).to.have.length(1);
    expect(port.gaveUp).to.deep.equal([]);
  });

  it('takes a refusal for an answer', async () => {
    clock.advance(1000);
    port.sent[0]?.refuse();
    await settled();
    clock.advance(999);
    expect(port.gaveUp).to.deep.equal([]);
    clock.advance(1);
    expect(port.sent).to.have.length(2);
  });

  it('gives up once when neither an answer nor a byte comes, and beats no more', () => {
    clock.advance(1409);
    expect(port.gaveUp).to.deep.equal([]);
    clock.advance(1);
    expect(port.gaveUp).to.deep.equal([410]);
    clock.advance(10_000);
    expect(port.gaveUp).to.have.length(1);
    expect(port.sent).to.have.length(1);
    expect(clock.pending).to.deep.equal([]);
  });

  it('lets a program that was busy for the whole timeout read the answer that waits for it', async () => {
    clock.advance(1000);
    clock.advance(400); // the timer is due; the answer lies in the kernel
    port.sent[0]?.answer();
    await settled();
    clock.advance(900);
    expect(port.gaveUp).to.deep.equal([]);
    clock.advance(100);
    expect(port.sent).to.have.length(2);
  });

  it('is still after stop(), also with a beat out', async () => {
    clock.advance(1000);
    beat.stop();
    beat.stop();
    port.sent[0]?.answer();
    await settled();
    clock.advance(10_000);
    expect(port.sent).to.have.length(1);
    expect(port.gaveUp).to.deep.equal([]);
  });

  it('never holds the process open', () => {
    expect(clock.pending.map(({ hold }) => hold)).to.deep.equal([false]);
    clock.advance(1000);
    expect(clock.pending.map(({ hold }) => hold)).to.deep.equal([false]);
  });
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
