import { expect } from 'chai';
import { envNames, optionsFromEnv, readEnv } from '../../../src/options/env.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { problemsOf } from './refused.js';

describe('optionsFromEnv', () => {
  it('reads every variable there is', () => {
    const env = {
      HOLDFAST_PRESET: 'aws-nlb',
      HOLDFAST_KEEPALIVE_IDLE: '45s',
      HOLDFAST_KEEPALIVE_INTERVAL: '1500ms',
      HOLDFAST_KEEPALIVE_COUNT: '5',
      HOLDFAST_USER_TIMEOUT: '1m',
      HOLDFAST_PROBE_AFTER_IDLE: 'off',
      HOLDFAST_PROBE_TIMEOUT: '750',
      HOLDFAST_LEARN: 'no',
      HOLDFAST_TARGETS: 'db.example:5432, !10.0.0.0/8',
      HOLDFAST_BACKEND: 'node',
      HOLDFAST_STRICT: '1',
    };
    expect(Object.keys(env)).to.have.members([...envNames]);
    expect(optionsFromEnv(env)).to.deep.equal({
      preset: 'aws-nlb',
      keepalive: { idle: 45_000, interval: 2000, count: 5 },
      userTimeout: 60_000,
      probeAfterIdle: false,
      probeTimeout: 750,
      learn: false,
      targets: ['db.example:5432', '!10.0.0.0/8'],
      backend: 'node',
      strict: true,
    });
  });

  it('gives options that resolve to the same as the environment itself', () => {
    const env = {
      HOLDFAST_KEEPALIVE_IDLE: '1001ms',
      HOLDFAST_PRESET: 'pfsense',
      HOLDFAST_USER_TIMEOUT: 'FALSE',
    };
    expect(resolveOptions(optionsFromEnv(env))).to.deep.equal(resolveOptions({}, { env }));
  });

  it('is empty, frozen, and silent about other variables when nothing is set', () => {
    const env = { PATH: '/bin', holdfast_strict: '1', HOLDFAST: '1', HOLDFAST_LEARN: undefined };
    expect(optionsFromEnv(env)).to.deep.equal({});
    expect(optionsFromEnv(env)).to.be.frozen;
    expect(optionsFromEnv({ HOLDFAST_KEEPALIVE_COUNT: '4' }).keepalive).to.be.frozen;
  });

  it('reads process.env when nothing is passed', () => {
    process.env['HOLDFAST_KEEPALIVE_COUNT'] = '11';
    try {
      expect(optionsFromEnv().keepalive).to.deep.equal({ count: 11 });
    } finally {
      delete process.env['HOLDFAST_KEEPALIVE_COUNT'];
    }
  });

  for (const [words, expected] of [
    [['true', '1', 'yes', 'on', 'TRUE', 'Yes', ' on '], true],
    [['false', '0', 'no', 'off', 'FALSE', 'No', ' off '], false],
  ] as const) {
    it(`takes ${words.join(' ')} as ${expected}`, () => {
      for (const word of words)
        expect(optionsFromEnv({ HOLDFAST_STRICT: word })).to.deep.equal({ strict: expected });
    });
  }

  const refused: [string, string, string | undefined][] = [
    ['HOLDFAST_KEEPALIVE_IDLE', '30', '30 means 30 ms; write 30s'],
    ['HOLDFAST_KEEPALIVE_IDLE', '0.5s', undefined],
    ['HOLDFAST_KEEPALIVE_COUNT', '1.5', undefined],
    ['HOLDFAST_KEEPALIVE_COUNT', '0x3', undefined],
    ['HOLDFAST_KEEPALIVE_COUNT', '', 'unset it to use the default'],
    ['HOLDFAST_USER_TIMEOUT', '0', 'false turns it off'],
    ['HOLDFAST_PROBE_AFTER_IDLE', 'no', 'false turns it off'],
    ['HOLDFAST_PROBE_AFTER_IDLE', '10', '10 means 10 ms; write 10s'],
    ['HOLDFAST_STRICT', '2', 'in text: true, false, 1, 0, yes, no, on or off'],
    ['HOLDFAST_STRICT', '  ', 'unset it to use the default'],
    ['HOLDFAST_TARGETS', 'a,,b', 'an entry is empty or not a string'],
    ['HOLDFAST_BACKEND', 'kofi', 'did you mean koffi?'],
    ['HOLDFAST_KEEPALIVE_IDEL', '30s', 'did you mean HOLDFAST_KEEPALIVE_IDLE?'],
    ['HOLDFAST_MAX_PENDING_BYTES', '1', undefined],
  ];
  for (const [name, text, hint] of refused) {
    it(`refuses ${name}=${text} with ${hint === undefined ? 'no hint' : `the hint: ${hint}`}`, () => {
      const found = problemsOf(() => optionsFromEnv({ [name]: text }));
      expect(found.map(each => [each.origin, each.hint])).to.deep.equal([[name, hint]]);
    });
  }

  it('leaves the project’s own HOLDFAST_TEST_, HOLDFAST_BENCH_ and HOLDFAST_LAB_ names alone', () => {
    const own = { HOLDFAST_TEST_SEED: '1', HOLDFAST_BENCH_ROUNDS: '2', HOLDFAST_LAB_SERVER: '10.0.0.2' };
    expect(optionsFromEnv(own)).to.deep.equal({});
    expect(problemsOf(() => optionsFromEnv({ HOLDFAST_TESTS: '1' }))).to.have.length(1);
  });

  it('never shows the value of a name it does not know', () => {
    const [found] = problemsOf(() => optionsFromEnv({ HOLDFAST_PASSWORD: 'hunter2' }));
    expect(JSON.stringify(found)).to.not.contain('hunter2');
  });
});

describe('readEnv', () => {
  it('returns what is right beside what is wrong', () => {
    const { options, problems } = readEnv({
      HOLDFAST_KEEPALIVE_IDLE: '30',
      HOLDFAST_KEEPALIVE_COUNT: '4',
      HOLDFAST_NO_SUCH: 'x',
      HOLDFAST_STRICT: 'on',
    });
    expect(options).to.deep.equal({ keepalive: { count: 4 }, strict: true });
    expect(problems.map(each => each.origin)).to.have.members([
      'HOLDFAST_KEEPALIVE_IDLE',
      'HOLDFAST_NO_SUCH',
    ]);
    expect(resolveOptions(options).keepalive).to.deep.equal({ idle: 30_000, interval: 10_000, count: 4 });
  });
});
