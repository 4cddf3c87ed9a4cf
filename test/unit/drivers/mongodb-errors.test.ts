import { expect } from 'chai';
import { isCursorLost } from '../../../src/drivers/mongodb-errors.js';

describe('a cursor that failed', () => {
  for (const code of [43, 91, 189, 10107, 11600, 11602, 13435, 13436]) {
    it(`is lost, and another can go on, where the server says ${code}`, () => {
      expect(isCursorLost(Object.assign(new Error('the server'), { code }))).to.equal(true);
    });
  }

  for (const name of ['MongoNetworkError', 'MongoServerSelectionError', 'MongoPoolClearedError']) {
    it(`is lost where the driver throws a ${name}`, () => {
      expect(isCursorLost(Object.assign(new Error('the driver'), { name }))).to.equal(true);
    });
  }

  it('is refused where the server says anything else', () => {
    for (const code of [13, 136, 286, undefined]) {
      expect(isCursorLost(Object.assign(new Error('the server'), { code })), String(code)).to.equal(false);
    }
  });
});
