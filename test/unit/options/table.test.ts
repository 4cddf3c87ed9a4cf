import { expect } from 'chai';
import { optionKeys, optionTable, type OptionRow } from '../../../src/options/table.js';

describe('the option table', () => {
  for (const key of optionKeys) {
    const row = optionTable[key] as OptionRow<unknown>;

    it(`${key}: says type, range and meaning in a sentence`, () => {
      expect(row.kind.type).to.not.equal('');
      expect(row.kind.range).to.not.equal('');
      expect(row.meaning).to.match(/^[A-Z].*\.$/);
    });

    it(`${key}: accepts its own default and leaves it unchanged`, () => {
      if ('derived' in row.fallback) expect(row.fallback.derived).to.not.equal('');
      else
        expect(row.kind.read(row.fallback.value)).to.deep.equal({
          accepted: true,
          value: row.fallback.value,
        });
    });

    it(`${key}: has a variable named after it, or none`, () => {
      if (row.env === undefined) return;
      const words = key.replaceAll('.', '_').replace(/[A-Z]/g, letter => `_${letter}`);
      expect(row.env).to.equal(`HOLDFAST_${words.toUpperCase()}`);
    });

    it(`${key}: refuses null, a symbol and an object, in no way but by a reading`, () => {
      for (const value of [null, Symbol('x'), {}, NaN]) expect(row.kind.read(value).accepted).to.equal(false);
    });
  }

  it('gives variables to exactly the options that text can hold for a whole process', () => {
    const named = optionKeys.filter(key => optionTable[key].env !== undefined);
    expect(named).to.deep.equal([
      'preset',
      'keepalive.idle',
      'keepalive.interval',
      'keepalive.count',
      'userTimeout',
      'probeAfterIdle',
      'probeTimeout',
      'learn',
      'targets',
      'backend',
      'strict',
    ]);
  });
});
