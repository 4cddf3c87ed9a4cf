import { expect } from 'chai';
import { Socket } from 'node:net';
import { rememberVerdict } from '../../../src/guard/autopsy.js';
import { classify, type DeathFacts } from '../../../src/guard/classify.js';
import { guardSocket } from '../../../src/guard/harden.js';
import { retryNeverSent } from '../../../src/guard/retry-never-sent.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakePath } from '../../support/fake-path.js';
import { facts, tcpInfo } from './facts.js';

const plain = new Error('no verdict');

/** An error with a verdict that no socket's death made: nothing is known of when. */
function judged(changes: Partial<DeathFacts>): Error {
  const error = new Error('read ECONNRESET');
  rememberVerdict(error, classify(facts(changes)));
  return error;
}

/** A guarded socket on a fake path that dies holding an unsent write. `sentAgo`: ms since its last byte left. */
function dying(clock: FakeClock, sentAgo: number, bytesSent = 100): Error {
  const path = new FakePath(clock, 60_000);
  path.fields = { bytesSent, bytesAcked: bytesSent + 1, lastDataSent: sentAgo };
  const handle = { fd: 3, setKeepAlive: () => 0, close: (done?: () => void) => done?.() };
  const socket = new Socket();
  Object.assign(socket, { _handle: handle });
  guardSocket(socket, resolveOptions({ probeAfterIdle: false }), { clock, kernel: path.kernel, hooks: {} });
  path.fields = { ...path.fields, state: 7, notsent: 7 };
  const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  socket.on('error', () => undefined);
  socket.destroy(error);
  return error;
}

async function calls(clock: FakeClock, errors: readonly (() => Error)[], retries = 5): Promise<number> {
  let n = 0;
  try {
    await retryNeverSent(
      () => {
        const next = errors[n++];
        if (next !== undefined) throw next();
        return 'done';
      },
      { retries },
      clock,
    );
  } catch {
    // The number of calls is what is asked.
  }
  return n;
}

describe('retryNeverSent', () => {
  it('returns what fn returns and calls it once when it succeeds', async () => {
    let n = 0;
    expect(await retryNeverSent(() => ++n)).to.equal(1);
    expect(await retryNeverSent(() => Promise.resolve(++n))).to.equal(2);
  });

  it('calls fn again when nothing was sent, and gives back what that call returned', async () => {
    const clock = new FakeClock();
    expect(await calls(clock, [() => dying(clock, 60_000)])).to.equal(2);
  });

  it('does not call fn again for an error without a verdict, or with any other delivery', async () => {
    const clock = new FakeClock();
    expect(await calls(clock, [() => plain])).to.equal(1);
    expect(await calls(clock, [() => judged({})])).to.equal(1);
    expect(await calls(clock, [() => judged({ tcpInfo: tcpInfo({ bytesSent: 200 }), queued: 1 })])).to.equal(
      1,
    );
  });

  it('calls fn again for a connection that was never made or never used', async () => {
    const clock = new FakeClock();
    const refused = judged({ connected: false, tcpInfo: undefined, error: { code: 'ECONNREFUSED' } });
    expect(await calls(clock, [() => refused])).to.equal(2);
    expect(await calls(clock, [() => dying(clock, 5, 0)])).to.equal(2);
  });

  it('does not call fn again when a byte left the socket after fn was called', async () => {
    const clock = new FakeClock();
    const later = (): Error => {
      clock.advance(1000);
      return dying(clock, 500);
    };
    expect(await calls(clock, [later])).to.equal(1);
  });

  it('does not call fn again when the kernel’s stamp can not tell whether a byte left before or after the call', async () => {
    const clock = new FakeClock();
    expect(await calls(clock, [() => dying(clock, 0)])).to.equal(1);
    expect(await calls(clock, [() => dying(clock, 9)])).to.equal(1);
    const first = (): Error => {
      clock.advance(1000);
      return dying(clock, 999);
    };
    expect(await calls(clock, [first])).to.equal(1);
    expect(await calls(clock, [() => dying(clock, 10)])).to.equal(2);
  });

  it('does not trust the wall clock', async () => {
    const clock = new FakeClock();
    const wall = clock.wall.bind(clock);
    const jumped = (): Error => {
      clock.advance(1000);
      clock.wall = () => wall() - 3_600_000;
      return dying(clock, 500);
    };
    expect(await calls(clock, [jumped])).to.equal(1);
  });

  it('stops at retries and throws what fn threw last', async () => {
    const clock = new FakeClock();
    const dead = (): Error => dying(clock, 60_000);
    expect(await calls(clock, [dead, dead, dead, dead], 2)).to.equal(3);
    expect(await calls(clock, [dead], 0)).to.equal(1);
    expect(await calls(clock, [dead, () => plain], 5)).to.equal(2);
  });

  it('refuses wrong arguments at once', () => {
    for (const retries of [-1, 1.5, NaN, 101, '2' as unknown as number]) {
      expect(() => retryNeverSent(() => 1, { retries }), String(retries))
        .to.throw(/whole number from 0 to 100/)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
    expect(() => retryNeverSent(1 as unknown as () => number)).to.throw(/takes a function/);
  });
});
