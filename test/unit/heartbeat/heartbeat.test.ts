import { expect } from 'chai';
import { Heartbeat, type HeartbeatOptions, type HeartbeatPort } from '../../../src/heartbeat/heartbeat.js';
import { FakeClock } from '../../support/fake-clock.js';

function setUp(port: Partial<HeartbeatPort> = {}, options: Partial<HeartbeatOptions> = {}) {
  const clock = new FakeClock();
  const log: string[] = [];
  const heartbeat = new Heartbeat(
    clock,
    { interval: 1000, timeout: 400, ...options },
    {
      send: () => void log.push('beat'),
      giveUp: waited => void log.push(`gave up after ${waited}`),
      fail: error => void log.push(`failed: ${error.message}`),
      report: rtt => void log.push(`answered in ${rtt}`),
      ...port,
    },
  );
  return { clock, log, heartbeat };
}

const chunk = (text: string): Buffer => Buffer.from(text);

describe('Heartbeat', () => {
  it('beats after the interval of silence and not before', () => {
    const { clock, log } = setUp();
    clock.advance(999);
    expect(log).to.deep.equal([]);
    clock.advance(1);
    expect(log).to.deep.equal(['beat']);
  });

  it('beats only when idle: every received byte puts it off', () => {
    const { clock, log, heartbeat } = setUp();
    for (let step = 0; step < 10; step++) {
      clock.advance(900);
      heartbeat.received(chunk('x'));
    }
    expect(log).to.deep.equal([]);
    clock.advance(1000);
    expect(log).to.deep.equal(['beat']);
  });

  it('takes any received byte for an answer and reports the round trip', () => {
    const { clock, log, heartbeat } = setUp();
    clock.advance(1000);
    clock.advance(30);
    heartbeat.received(chunk('anything'));
    expect(log).to.deep.equal(['beat', 'answered in 30']);
    clock.advance(999);
    expect(log).to.have.lengthOf(2);
    clock.advance(1);
    expect(log).to.deep.equal(['beat', 'answered in 30', 'beat']);
  });

  it('has one beat outstanding at most', () => {
    const { clock, log } = setUp({}, { timeout: 5000 });
    clock.advance(5999);
    expect(log).to.deep.equal(['beat']);
  });

  it('gives up once when no byte comes back in time, and stops', () => {
    const { clock, log } = setUp();
    clock.advance(1399);
    expect(log).to.deep.equal(['beat']);
    clock.advance(10_000);
    expect(log).to.deep.equal(['beat', 'gave up after 400']);
    expect(clock.pending).to.deep.equal([]);
  });

  it('does not give up on bytes that only the kernel has seen, as when the reader is paused', () => {
    const { clock, log } = setUp({ silence: () => clock.now() % 1000 });
    clock.advance(20_000);
    expect(log).to.not.include('gave up after 400');
  });

  it('counts what the kernel received before it beats', () => {
    let heardAt = Infinity;
    const { clock, log } = setUp({ silence: () => clock.now() - heardAt });
    clock.advance(600);
    heardAt = clock.now();
    clock.advance(900);
    expect(log).to.deep.equal([]);
    clock.advance(100);
    expect(log).to.deep.equal(['beat']);
  });

  it('does not beat while the connection is not ready, and tries again an interval later', () => {
    let ready = false;
    const { clock, log } = setUp({ ready: () => ready });
    clock.advance(2500);
    expect(log).to.deep.equal([]);
    ready = true;
    clock.advance(500);
    expect(log).to.deep.equal(['beat']);
  });

  it('stops: no beat, no verdict, no timer', () => {
    for (const elapsed of [500, 1100]) {
      const { clock, log, heartbeat } = setUp();
      clock.advance(elapsed);
      heartbeat.stop();
      heartbeat.stop();
      const before = [...log];
      clock.advance(10_000);
      expect(log).to.deep.equal(before);
      expect(clock.pending).to.deep.equal([]);
      expect(heartbeat.received(chunk('x')).toString()).to.equal('x');
    }
  });

  it('takes an answer from inside send()', () => {
    const { clock, log, heartbeat } = setUp({ send: () => void heartbeat.received(chunk('at once')) });
    clock.advance(1500);
    expect(log).to.deep.equal(['answered in 0']);
  });

  it('holds no process open', () => {
    const { clock } = setUp();
    expect(clock.pending.every(({ hold }) => !hold)).to.equal(true);
    clock.advance(1000);
    expect(clock.pending.every(({ hold }) => !hold)).to.equal(true);
  });

  describe('with a receive hook', () => {
    const receive = (received: Buffer): 'consumed' | Buffer | undefined => {
      const text = received.toString();
      if (text === 'PONG') return 'consumed';
      return text.includes('PONG') ? chunk(text.replace('PONG', '')) : undefined;
    };

    it('takes a reply out of the stream', () => {
      const { clock, heartbeat } = setUp({}, { receive });
      clock.advance(1000);
      expect(heartbeat.received(chunk('PONG')).length).to.equal(0);
    });

    it('cuts a reply out of a chunk with other data', () => {
      const { clock, heartbeat } = setUp({}, { receive });
      clock.advance(1000);
      expect(heartbeat.received(chunk('abPONGcd')).toString()).to.equal('abcd');
    });

    it('asks the hook only while a reply is owed', () => {
      const { clock, heartbeat } = setUp({}, { receive });
      expect(heartbeat.received(chunk('PONG')).toString()).to.equal('PONG');
      clock.advance(1000);
      heartbeat.received(chunk('PONG'));
      expect(heartbeat.received(chunk('PONG')).toString()).to.equal('PONG');
    });

    it('takes out a reply that comes after other data had answered the beat', () => {
      const { clock, log, heartbeat } = setUp({}, { receive });
      clock.advance(1000);
      expect(heartbeat.received(chunk('news')).toString()).to.equal('news');
      expect(log.at(-1)).to.equal('answered in 0');
      clock.advance(10);
      expect(heartbeat.received(chunk('PONG')).length).to.equal(0);
    });

    it('fails the connection, once, when a hook throws', () => {
      const throwing = (): never => {
        throw new Error('hook');
      };
      const sending = setUp({ send: throwing });
      sending.clock.advance(5000);
      expect(sending.log).to.deep.equal(['failed: hook']);

      const receiving = setUp({}, { receive: throwing });
      receiving.clock.advance(1000);
      expect(receiving.heartbeat.received(chunk('x')).toString()).to.equal('x');
      receiving.heartbeat.received(chunk('x'));
      expect(receiving.log).to.deep.equal(['beat', 'failed: hook']);
      expect(receiving.clock.pending).to.deep.equal([]);
    });
  });
});
