import { expect } from 'chai';
import { HoldfastError } from '../../../src/errors.js';
import { resolveLayers, resolveOptions } from '../../../src/options/resolve.js';
import { problemsOf, refusal, untyped } from './refused.js';

const send = () => 'ping';

describe('a refusal', () => {
  it('is one HoldfastError with every problem of every layer', () => {
    const error = refusal(() =>
      resolveOptions(untyped({ keepalive: { count: 1.5 }, bakend: 'node', strict: 'yes' }), {
        env: { HOLDFAST_KEEPALIVE_IDLE: '30', HOLDFAST_KEEPALIVE_IDEL: '30s', HOLDFAST_LEARN: 'maybe' },
      }),
    );
    expect(error).to.be.instanceOf(HoldfastError);
    expect(error.code).to.equal('ERR_HOLDFAST_OPTIONS');
    expect(error.problems.map(({ key, origin }) => `${key} ${origin}`)).to.have.members([
      'keepalive.count options',
      'bakend options',
      'strict options',
      'keepalive.idle HOLDFAST_KEEPALIVE_IDLE',
      'HOLDFAST_KEEPALIVE_IDEL HOLDFAST_KEEPALIVE_IDEL',
      'learn HOLDFAST_LEARN',
    ]);
  });

  it('lists a wrong value even where a stronger layer hides it', () => {
    const env = { HOLDFAST_KEEPALIVE_IDLE: '30' };
    expect(problemsOf(() => resolveOptions({ keepalive: { idle: '30s' } }, { env }))).to.have.length(1);
  });

  it('says key, value, origin, range and hint on one line a problem', () => {
    const one = refusal(() => resolveOptions({ keepalive: { idle: 30 } }));
    expect(one.message).to.equal(
      'Wrong option: keepalive.idle = 30 (from options); allowed: 1s to 32767s; 30 means 30 ms; write 30s',
    );
    const two = refusal(() => resolveOptions(untyped({ keepalive: { count: 1.5 }, learn: 'x\ny' })));
    expect(two.message.split('\n')).to.deep.equal([
      '2 wrong options:',
      '  keepalive.count = 1.5 (from options); allowed: a whole number, 1 to 127',
      '  learn = "x\\ny" (from options); allowed: true or false',
    ]);
  });

  const hints: [unknown, string, string][] = [
    [{ keepalive: { idle: 30 } }, 'keepalive.idle', '30 means 30 ms; write 30s'],
    [{ keepalive: { idle: '30' } }, 'keepalive.idle', '30 means 30 ms; write 30s'],
    [{ keepalive: { idle: '1 year' } }, 'keepalive.idle', "write it as '500ms', '30s' or '2m'"],
    [{ keepalive: { idel: 1 } }, 'keepalive.idel', 'did you mean idle?'],
    [{ keepAlive: {} }, 'keepAlive', 'did you mean keepalive?'],
    [{ idle: '30s' }, 'idle', 'did you mean keepalive.idle?'],
    [{ preset: 'aws-nat-gatway' }, 'preset', 'did you mean aws-nat-gateway?'],
    [{ backend: 'Koffi' }, 'backend', 'did you mean koffi?'],
    [{ probeAfterIdle: 0 }, 'probeAfterIdle', 'false turns it off'],
    [{ userTimeout: null }, 'userTimeout', 'false turns it off'],
    [{ resume: null }, 'resume', 'undefined leaves it unset'],
    [{ heartbeat: null }, 'heartbeat', 'leave it out, or undefined, to leave it unset'],
    [{ strict: 'no' }, 'strict', 'write the boolean false, not text'],
    [{ keepalive: { count: '3' } }, 'keepalive.count', 'write the number 3, not text'],
    [{ targets: [] }, 'targets', 'leave it unset to mean every peer'],
    [{ targets: ['a', ''] }, 'targets', 'an entry is empty or not a string'],
    [
      { heartbeat: { send } },
      'heartbeat.interval',
      'a heartbeat needs it, or a preset that counts payload only',
    ],
    [{ heartbeat: { interval: 1000 } }, 'heartbeat.send', 'a heartbeat needs to know what to send'],
  ];
  for (const [options, key, hint] of hints) {
    it(`of ${key} hints: ${hint}`, () => {
      const found = problemsOf(() => resolveOptions(untyped(options)));
      expect(found.map(each => [each.key, each.hint])).to.deep.equal([[key, hint]]);
    });
  }

  const without: [unknown, string][] = [
    [{ zebra: 1 }, 'zebra'],
    [{ keepalive: { idle: 99_999_999 } }, 'keepalive.idle'],
    [{ keepalive: { count: 128 } }, 'keepalive.count'],
    [{ userTimeout: true }, 'userTimeout'],
    [{ probeAfterIdle: true }, 'probeAfterIdle'],
    [{ maxPendingBytes: Infinity }, 'maxPendingBytes'],
    [{ maxPendingBytes: -1 }, 'maxPendingBytes'],
    [{ reconnect: { factor: 0.5 } }, 'reconnect.factor'],
    [{ reconnect: { factor: NaN } }, 'reconnect.factor'],
    [{ keepalive: [] }, 'keepalive'],
    [{ reconnect: 'nat' }, 'reconnect'],
    [new Map([['strict', true]]), 'options'],
    [Promise.resolve({}), 'options'],
    ['strict', 'options'],
  ];
  for (const [options, key] of without) {
    it(`of ${key} gives no hint where none would be right`, () => {
      const found = problemsOf(() => resolveOptions(untyped(options)));
      expect(found.map(each => [each.key, each.hint])).to.deep.equal([[key, undefined]]);
    });
  }

  it('compares the backoff bounds across layers and names the one that lost', () => {
    const found = problemsOf(() =>
      resolveLayers(
        { values: { reconnect: { minTimeout: '1m' } }, origin: 'call options' },
        { values: { reconnect: { maxTimeout: '3s' } }, origin: 'options' },
      ),
    );
    expect(found).to.deep.equal([
      {
        key: 'reconnect.maxTimeout',
        value: '3s',
        range: '1m (reconnect.minTimeout) or more',
        origin: 'options',
      },
    ]);
  });

  it('does not call a value missing that it has refused', () => {
    const found = problemsOf(() => resolveOptions(untyped({ heartbeat: { interval: -1, send: 'ping' } })));
    expect(found.map(each => each.key)).to.deep.equal(['heartbeat.interval', 'heartbeat.send']);
  });
});
