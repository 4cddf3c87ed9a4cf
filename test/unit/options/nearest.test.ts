import { expect } from 'chai';
import { nearest } from '../../../src/options/nearest.js';

describe('nearest', () => {
  const cases: [string, string[], string | undefined][] = [
    ['idel', ['idle', 'interval', 'count'], 'idle'],
    ['KEEPALIVE', ['keepalive', 'learn'], 'keepalive'],
    ['userTimout', ['probeTimeout', 'userTimeout'], 'userTimeout'],
    ['x', ['on', 'at'], undefined],
    ['is', ['on'], undefined],
    ['zebra', ['strict', 'learn'], undefined],
    ['', ['on'], undefined],
    ['k'.repeat(101), ['k'.repeat(100)], undefined],
    ['idle', [], undefined],
  ];
  for (const [name, candidates, expected] of cases) {
    it(`of ${name.slice(0, 20) || 'nothing'} is ${expected ?? 'none'}`, () => {
      expect(nearest(name, candidates)).to.equal(expected);
    });
  }
});
