import { expect } from 'chai';
import fc from 'fast-check';
import { MAX_RENDERED, renderName, renderValue } from '../../../src/options/render-value.js';

describe('renderValue', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = {
    toString() {
      throw new Error('ran');
    },
    toJSON: () => 'secret',
  };
  const cases: [string, unknown, string][] = [
    ['a string', '30', '"30"'],
    ['a line break', 'a\nb', '"a\\nb"'],
    ['a terminal escape', '\u001b[31m\u009b', '"\\u001b[31m\\u009b"'],
    ['a line separator', '\u2028', '"\\u2028"'],
    ['text that runs backwards', '\u202eabc', '"\\u202eabc"'],
    ['a number', 1.5, '1.5'],
    ['negative zero', -0, '-0'],
    ['NaN', NaN, 'NaN'],
    ['a bigint', -30n, '-30n'],
    ['a bigint without end', 10n ** 5000n, 'a huge bigint'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a boolean', true, 'true'],
    ['a function, not its source', () => 'secret', 'function'],
    [
      'a class',
      class {
        secret = 1;
      },
      'function',
    ],
    ['a list, not its contents', ['secret'], 'an array'],
    ['a cyclic object', cyclic, 'an object'],
    ['an object without running its methods', hostile, 'an object'],
    ['a revoked proxy', proxy, 'a revoked proxy'],
    ['a URL without its password', 'redis://user:secret@host:1', '"redis://***@host:1"'],
  ];
  for (const [what, value, expected] of cases) {
    it(`renders ${what}`, () => {
      expect(renderValue(value)).to.equal(expected);
    });
  }

  it('cuts long strings to 80 characters and leaves no half of a pair', () => {
    expect(renderValue('x'.repeat(500))).to.equal(`"${'x'.repeat(78)}…`);
    expect(renderValue('x'.repeat(77) + '😀'.repeat(20))).to.equal(`"${'x'.repeat(77)}…`);
  });

  it('stays on one printable line of 80 characters whatever it is given', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(fc.oneof(anything, fc.string({ unit: 'binary', maxLength: 200 })), value => {
        const text = renderValue(value);
        expect(text.length).to.be.within(1, MAX_RENDERED);
        expect(text).to.not.match(/\p{Cc}|\p{Zl}|\p{Zp}/u);
      }),
    );
  });
});

describe('renderName', () => {
  it('leaves plain names as they are and quotes the others', () => {
    expect(renderName('keepAlive')).to.equal('keepAlive');
    expect(renderName('a b\n')).to.equal('"a b\\n"');
    expect(renderName('')).to.equal('""');
    expect(renderName('x'.repeat(200))).to.have.length(MAX_RENDERED);
  });
});
