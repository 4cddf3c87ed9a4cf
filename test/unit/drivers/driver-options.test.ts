import { expect } from 'chai';
import { resolveDriverOptions } from '../../../src/drivers/driver-options.js';
import { Holdfast } from '../../../src/holdfast.js';

const holdfast = new Holdfast();

describe('resolveDriverOptions', () => {
  it('beats when the connection was idle for as long as keepalive waits, unless told otherwise', () => {
    expect(resolveDriverOptions({ holdfast }).beat).to.deep.equal({ interval: 30_000, timeout: 10_000 });
    expect(resolveDriverOptions({ holdfast, keepalive: { idle: '60s' } }).beat?.interval).to.equal(60_000);
    expect(resolveDriverOptions({ holdfast, heartbeat: { interval: '5s' } }).beat).to.deep.equal({
      interval: 5000,
      timeout: 5000,
    });
    expect(resolveDriverOptions({ holdfast, heartbeat: false }).beat).to.equal(undefined);
  });

  it('takes the interval of a preset that counts payload only', () => {
    const { beat } = resolveDriverOptions({ holdfast, preset: 'aws-alb' });
    expect(beat?.interval).to.equal(30_000);
  });

  it('lets the gate see to every beat', () => {
    expect(resolveDriverOptions({ holdfast }).probeAfterIdle).to.equal(10_000);
    expect(resolveDriverOptions({ holdfast, heartbeat: { interval: '6s' } }).probeAfterIdle).to.equal(3000);
    expect(resolveDriverOptions({ holdfast, heartbeat: { interval: 100 } }).probeAfterIdle).to.equal(1000);
    expect(resolveDriverOptions({ holdfast, probeAfterIdle: false }).probeAfterIdle).to.equal(false);
  });

  it('refuses wrong options with the library’s own errors', () => {
    const wrong: [unknown, string, RegExp][] = [
      [{ heartbeat: { interval: 'soon' } }, 'ERR_HOLDFAST_OPTIONS', /heartbeat\.interval/],
      [{ heartbeat: { intervall: 1 } }, 'ERR_HOLDFAST_OPTIONS', /intervall/],
      [{ keepalive: { idle: 1 } }, 'ERR_HOLDFAST_OPTIONS', /keepalive\.idle/],
      [{ nonsense: 1 }, 'ERR_HOLDFAST_OPTIONS', /nonsense/],
      [{ retries: 1.5 }, 'ERR_HOLDFAST_ARGUMENT', /retries/],
    ];
    for (const [options, code, message] of wrong) {
      try {
        resolveDriverOptions({ holdfast, ...(options as object) });
        expect.fail(`accepted ${JSON.stringify(options)}`);
      } catch (error) {
        expect(error).to.include({ code });
        expect(error).to.have.property('message').that.matches(message);
      }
    }
  });
});
