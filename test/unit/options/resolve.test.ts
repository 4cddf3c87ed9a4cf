import { expect } from 'chai';
import { resolveLayers, resolveOptions } from '../../../src/options/resolve.js';
import { readEnv } from '../../../src/options/env.js';
import type { HoldfastOptions } from '../../../src/options/types.js';
import { problemsOf, untyped } from './refused.js';

const send = () => 'ping';

describe('resolveOptions', () => {
  it('has the documented defaults', () => {
    expect(resolveOptions()).to.deep.equal({
      preset: undefined,
      keepalive: { idle: 30_000, interval: 10_000, count: 3 },
      userTimeout: 60_000,
      probeAfterIdle: 10_000,
      probeTimeout: undefined,
      learn: true,
      heartbeat: undefined,
      reconnect: {
        on: 'nat',
        retries: Infinity,
        minTimeout: 100,
        maxTimeout: 30_000,
        factor: 2,
        deadline: 30_000,
      },
      resume: undefined,
      maxPendingBytes: 16 * 1024 * 1024,
      targets: [],
      backend: 'auto',
      strict: false,
    });
  });

  it('takes every option', () => {
    const on = () => true;
    const resume = () => undefined;
    const receive = () => undefined;
    const options: HoldfastOptions = {
      preset: 'pfsense',
      keepalive: { idle: '45s', interval: 5000, count: 5 },
      userTimeout: '1m',
      probeAfterIdle: '20s',
      probeTimeout: '1s',
      learn: false,
      heartbeat: { interval: '20s', timeout: '3s', send, receive },
      reconnect: { on, retries: 4, minTimeout: '1s', maxTimeout: '5s', factor: 1.5, deadline: '10s' },
      resume,
      maxPendingBytes: 1024,
      targets: ['db.example:5432', '!10.0.0.0/8'],
      backend: 'koffi',
      strict: true,
    };
    expect(resolveOptions(options)).to.deep.equal({
      preset: 'pfsense',
      keepalive: { idle: 45_000, interval: 5000, count: 5 },
      userTimeout: 60_000,
      probeAfterIdle: 20_000,
      probeTimeout: 1000,
      learn: false,
      heartbeat: { interval: 20_000, timeout: 3000, send, receive },
      reconnect: { on, retries: 4, minTimeout: 1000, maxTimeout: 5000, factor: 1.5, deadline: 10_000 },
      resume,
      maxPendingBytes: 1024,
      targets: ['db.example:5432', '!10.0.0.0/8'],
      backend: 'koffi',
      strict: true,
    });
  });

  it('freezes the result at every level', () => {
    const resolved = resolveOptions({ heartbeat: { interval: 1000, send }, targets: ['a'] });
    for (const part of [
      resolved,
      resolved.keepalive,
      resolved.reconnect,
      resolved.heartbeat,
      resolved.targets,
      resolveOptions().targets,
    ]) {
      expect(part).to.be.frozen;
    }
  });

  it('neither changes, keeps nor freezes what the caller passed', () => {
    const options = { keepalive: { idle: '1500ms' }, targets: ['a'], heartbeat: { interval: 1000, send } };
    const resolved = resolveOptions(options);
    options.targets.push('b');
    options.keepalive.idle = '9s';
    expect(options).to.deep.equal({
      keepalive: { idle: '9s' },
      targets: ['a', 'b'],
      heartbeat: { interval: 1000, send },
    });
    expect(resolved.targets).to.deep.equal(['a']);
    expect(resolved.keepalive.idle).to.equal(2000);
    expect(send).to.not.be.frozen;
  });

  it('reads each getter once', () => {
    const reads: string[] = [];
    const counted = (level: string, values: Record<string, unknown>): unknown =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            { enumerable: true, get: () => (reads.push(level + name), value) },
          ]),
        ),
      );
    resolveOptions(
      untyped(
        counted('', {
          keepalive: counted('keepalive.', { idle: '2s', count: 4 }),
          strict: true,
          targets: 'a',
        }),
      ),
    );
    expect(reads.toSorted()).to.deep.equal([
      'keepalive',
      'keepalive.count',
      'keepalive.idle',
      'strict',
      'targets',
    ]);
  });

  it('reads options of a class instance and inherited ones, but nothing a prototype of all objects lends', () => {
    class Settings {
      keepalive = { count: 5 };
      get learn() {
        return false;
      }
    }
    expect(resolveOptions(new Settings()).keepalive.count).to.equal(5);
    expect(resolveOptions(new Settings()).learn).to.equal(false);
    Object.defineProperty(Object.prototype, 'strict', { value: true, configurable: true });
    try {
      expect(resolveOptions({}).strict).to.equal(false);
      expect(resolveOptions({ preset: 'pfsense' }).strict).to.equal(false);
      expect(Object.keys(readEnv({}).options)).to.deep.equal([]);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'strict');
    }
  });

  it('takes undefined as unset at every level', () => {
    const unset = {
      keepalive: { idle: undefined },
      heartbeat: undefined,
      strict: undefined,
      resume: undefined,
    };
    expect(resolveOptions(unset)).to.deep.equal(resolveOptions());
  });

  it('takes 0 as a value', () => {
    expect(resolveOptions({ maxPendingBytes: 0 }).maxPendingBytes).to.equal(0);
    expect(resolveOptions({ reconnect: { retries: 0 } }).reconnect.retries).to.equal(0);
    expect(problemsOf(() => resolveOptions({ keepalive: { idle: 0 } }))).to.have.length(1);
  });

  it('rounds keepalive times up to whole seconds and other times up to whole milliseconds', () => {
    const resolved = resolveOptions({ keepalive: { idle: 1001, interval: '9.5s' }, probeTimeout: 11.2 });
    expect(resolved.keepalive).to.deep.equal({ idle: 2000, interval: 10_000, count: 3 });
    expect(resolved.probeTimeout).to.equal(12);
    expect(resolved.userTimeout).to.equal(32_000);
  });

  it('lets userTimeout and probeAfterIdle be turned off', () => {
    const resolved = resolveOptions({ userTimeout: false, probeAfterIdle: false });
    expect(resolved.userTimeout).to.equal(false);
    expect(resolved.probeAfterIdle).to.equal(false);
  });

  it('derives userTimeout from what idle, interval and count became', () => {
    expect(resolveOptions({ keepalive: { idle: '60s', interval: '5s', count: 4 } }).userTimeout).to.equal(
      80_000,
    );
  });

  it('shortens the default interval with the idle time, under a preset too, and never an interval that was set', () => {
    expect(resolveOptions({ keepalive: { idle: '2s' } }).keepalive.interval).to.equal(2000);
    expect(resolveOptions({ keepalive: { idle: '20s' } }).keepalive.interval).to.equal(10_000);
    const preset = { preset: 'aws-nat-gateway', keepalive: { idle: '3s' } };
    expect(resolveOptions(preset).keepalive.interval).to.equal(3000);
    expect(resolveOptions({ keepalive: { idle: '2s', interval: '4s' } }).keepalive.interval).to.equal(4000);
  });

  it('stops a derived userTimeout at what the kernel can hold', () => {
    const keepalive = { idle: '32767s', interval: '32767s', count: 127 };
    expect(resolveOptions({ keepalive }).userTimeout).to.equal(2 ** 31 - 1);
  });

  it('derives the heartbeat timeout: the interval, at most 10 s', () => {
    expect(resolveOptions({ heartbeat: { interval: '4s', send } }).heartbeat?.timeout).to.equal(4000);
    expect(resolveOptions({ heartbeat: { interval: '40s', send } }).heartbeat?.timeout).to.equal(10_000);
  });

  it('moves the default of one backoff bound out of the way of the other', () => {
    expect(resolveOptions({ reconnect: { minTimeout: '1m' } }).reconnect.maxTimeout).to.equal(60_000);
    expect(resolveOptions({ reconnect: { maxTimeout: 50 } }).reconnect.minTimeout).to.equal(50);
  });

  it('splits targets at commas and trims them', () => {
    expect(resolveOptions({ targets: ' a , !b:1 ' }).targets).to.deep.equal(['a', '!b:1']);
    expect(resolveOptions({ targets: [' a '] }).targets).to.deep.equal(['a']);
  });
});

describe('precedence', () => {
  const env = { HOLDFAST_KEEPALIVE_IDLE: '40s', HOLDFAST_KEEPALIVE_COUNT: '9', HOLDFAST_PRESET: 'aws-alb' };

  it('is: option, options’ preset, environment, environment’s preset, default', () => {
    const layers: [HoldfastOptions, Record<string, string>, number][] = [
      [{ keepalive: { idle: '50s' }, preset: 'pfsense' }, env, 50_000],
      [{ preset: 'pfsense' }, env, 120_000],
      [{}, env, 40_000],
      [{}, { HOLDFAST_PRESET: 'aws-alb' }, 20_000],
      [{}, {}, 30_000],
    ];
    for (const [options, variables, idle] of layers) {
      expect(resolveOptions(options, { env: variables }).keepalive.idle).to.equal(idle);
    }
  });

  it('holds for each option by itself', () => {
    const resolved = resolveOptions({ keepalive: { idle: '50s' } }, { env });
    expect(resolved.keepalive).to.deep.equal({ idle: 50_000, interval: 10_000, count: 9 });
    expect(resolved.preset).to.equal('aws-alb');
  });

  it('does not look at the environment unless it is given', () => {
    process.env['HOLDFAST_STRICT'] = 'true';
    try {
      expect(resolveOptions({}).strict).to.equal(false);
    } finally {
      delete process.env['HOLDFAST_STRICT'];
    }
  });

  it('holds among any number of layers', () => {
    const layer = (idle: string | undefined, preset?: string) => ({
      values: { keepalive: { idle }, preset },
      origin: 'test',
    });
    expect(resolveLayers(layer(undefined), layer('7s'), layer('8s')).keepalive.idle).to.equal(7000);
    expect(resolveLayers(layer(undefined, 'aws-alb'), layer('7s')).keepalive.idle).to.equal(20_000);
  });

  it('merges a heartbeat field by field, the preset’s interval last', () => {
    expect(resolveOptions({ preset: 'aws-alb', heartbeat: { send } }).heartbeat?.interval).to.equal(30_000);
    const own = resolveOptions({ preset: 'aws-alb', heartbeat: { interval: '7s', send } });
    expect(own.heartbeat?.interval).to.equal(7000);
    expect(resolveOptions({ heartbeat: { send } }, { env }).heartbeat?.interval).to.equal(30_000);
  });

  it('makes no heartbeat of a preset alone', () => {
    expect(resolveOptions({ preset: 'aws-alb' }).heartbeat).to.equal(undefined);
  });
});
