import { expect } from 'chai';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { formatDuration, parseDuration } from '../../../src/options/durations.js';

describe('parseDuration', () => {
  const accepted: [unknown, number][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['30 s', 30_000],
    ['2m', 120_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
    ['30', 30],
    ['0', 0],
    [0, 0],
    [1.5, 1.5],
    ['1.1s', 1100],
    ['2.3s', 2300],
    [0.1 * 3 * 10_000, 3000],
  ];
  for (const [given, expected] of accepted) {
    it(`reads ${JSON.stringify(given)} as ${expected} ms`, () => {
      expect(parseDuration(given)).to.equal(expected);
    });
  }

  const refused: unknown[] = [
    ...[
      '',
      ' ',
      '1 year',
      '1 second',
      '30sec',
      '30S',
      '5M',
      '-5s',
      '+5s',
      '.5s',
      '5.s',
      '1e3',
      '1,5s',
      '30s ',
      ' 30s',
    ],
    ...['30s30s', 'NaN', 'Infinity', '0x10', '9'.repeat(16), '9'.repeat(400), '٣s', '30\n'],
    ...[
      NaN,
      Infinity,
      -Infinity,
      -1,
      null,
      undefined,
      true,
      false,
      30n,
      Symbol('30s'),
      {},
      [],
      ['30s'],
      [30],
    ],
    ...[new Date(30), new Map([['30s', 1]]), { valueOf: () => 30, toString: () => '30s' }],
  ];
  for (const given of refused) {
    it(`refuses ${inspect(given, { maxStringLength: 40 })}`, () => {
      expect(parseDuration(given)).to.equal(undefined);
    });
  }

  it('agrees with plain multiplication for every number and unit', () => {
    const sizes = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    const unit = fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[]));
    fc.assert(
      fc.property(fc.nat(11_000), fc.nat(999), unit, (whole, thousandths, name) => {
        const text = `${whole}.${String(thousandths).padStart(3, '0')}${name}`;
        const micros = (whole * 1000 + thousandths) * sizes[name];
        expect(parseDuration(text)).to.be.closeTo(micros / 1000, 0.002);
        if (micros % 1000 === 0) expect(parseDuration(text)).to.equal(micros / 1000);
      }),
    );
  });
});

describe('formatDuration', () => {
  const cases: [number, string][] = [
    [0, '0ms'],
    [0.25, '0.25ms'],
    [500, '500ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [350_000, '350s'],
    [120_000, '2m'],
    [5_400_000, '90m'],
    [432_000_000, '5d'],
    [12.345678, '12.346ms'],
    [-1500, '-1.5s'],
    [Infinity, 'Infinity'],
    [NaN, 'NaN'],
  ];
  for (const [given, expected] of cases) {
    it(`writes ${given} ms as ${expected}`, () => {
      expect(formatDuration(given)).to.equal(expected);
    });
  }

  it('is read back by parseDuration unchanged for whole milliseconds', () => {
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), value => parseDuration(formatDuration(value)) === value));
    fc.assert(
      fc.property(
        fc.nat(40_000),
        seconds => parseDuration(formatDuration(seconds * 1000)) === seconds * 1000,
      ),
    );
  });
});
