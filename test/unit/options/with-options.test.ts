import { expect } from 'chai';
import { resolveOptions, withOptions } from '../../../src/options/resolve.js';
import { problemsOf, untyped } from './refused.js';

describe('withOptions', () => {
  it('returns the instance’s own result when nothing is set', () => {
    const base = resolveOptions({ strict: true });
    expect(withOptions(base)).to.equal(base);
    expect(withOptions(base, {})).to.equal(base);
    expect(withOptions(base, { keepalive: {}, strict: undefined })).to.equal(base);
  });

  it('derives again what was derived', () => {
    const base = resolveOptions({ keepalive: { interval: '5s' } });
    const resolved = withOptions(base, { keepalive: { idle: '60s' } });
    expect(resolved.keepalive).to.deep.equal({ idle: 60_000, interval: 5000, count: 3 });
    expect(resolved.userTimeout).to.equal(75_000);
    expect(base.userTimeout).to.equal(45_000);
  });

  it('keeps what was set', () => {
    const base = resolveOptions({ userTimeout: '20s' });
    expect(withOptions(base, { keepalive: { idle: '60s' } }).userTimeout).to.equal(20_000);
    expect(withOptions(resolveOptions({ userTimeout: false }), { strict: true }).userTimeout).to.equal(false);
  });

  it('puts the call’s preset above the instance’s options and keeps the environment below both', () => {
    const base = resolveOptions({ keepalive: { idle: '50s' } }, { env: { HOLDFAST_KEEPALIVE_COUNT: '7' } });
    expect(withOptions(base, { preset: 'aws-alb' }).keepalive.idle).to.equal(20_000);
    expect(withOptions(base, { strict: true }).keepalive).to.deep.equal({
      idle: 50_000,
      interval: 10_000,
      count: 7,
    });
  });

  it('completes a heartbeat of the instance', () => {
    const send = () => 'ping';
    const base = resolveOptions({ heartbeat: { interval: '20s', send } });
    expect(withOptions(base, untyped({ heartbeat: { interval: '2s' } })).heartbeat).to.deep.equal({
      interval: 2000,
      timeout: 2000,
      send,
      receive: undefined,
    });
  });

  it('can be stacked', () => {
    const once = withOptions(resolveOptions(), { keepalive: { idle: '60s' } });
    const twice = withOptions(once, { keepalive: { count: 1 } });
    expect(twice.keepalive).to.deep.equal({ idle: 60_000, interval: 10_000, count: 1 });
    expect(twice.userTimeout).to.equal(70_000);
  });

  it('takes every value of a copy as set, the copy being no result of resolveOptions', () => {
    const copy = { ...resolveOptions({ heartbeat: { interval: 1000, send: () => 'ping' } }) };
    const resolved = withOptions(copy, { keepalive: { idle: '60s' } });
    expect(resolved).to.deep.equal({ ...copy, keepalive: { ...copy.keepalive, idle: 60_000 } });
  });

  it('names the call as the origin of what is wrong in it', () => {
    const found = problemsOf(() => withOptions(resolveOptions(), untyped({ strct: true, learn: 1 })));
    expect(found.map(each => each.origin)).to.deep.equal(['call options', 'call options']);
  });
});
