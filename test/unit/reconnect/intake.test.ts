import { expect } from 'chai';
import { intake } from '../../../src/reconnect/intake.js';

/** Plays Node's part of `onread`: fills the buffer it is given, tells of it, and asks for the next. */
function feeder() {
  const got: Buffer[] = [];
  const { buffer, callback } = intake(chunk => got.push(chunk) < Infinity);
  if (typeof buffer !== 'function') throw new Error('intake gives a function');
  let current = buffer();
  const used: Uint8Array[] = [];
  return {
    got,
    used,
    feed(length: number, value: number): void {
      used.push(current);
      current.fill(value, 0, length);
      callback(length, current);
      current = buffer();
    },
  };
}

describe('intake', () => {
  it('never changes a chunk that the reader has been given', () => {
    const { got, feed } = feeder();
    const lengths = [1, 100, 20_000, 65_536, 65_536, 30_000, 65_536, 3, 65_536, 65_536, 16_384, 16_384, 5];
    lengths.forEach((length, index) => feed(length, index + 1));
    expect(got.map(({ length }) => length)).to.deep.equal(lengths);
    got.forEach((chunk, index) => expect(chunk.every(byte => byte === index + 1)).to.equal(true));
  });

  it('lets all quiet connections share one buffer', () => {
    const [one, two] = [feeder(), feeder()];
    one.feed(10, 1);
    two.feed(10, 2);
    expect(one.used[0]).to.equal(two.used[0]);
  });

  it('keeps no memory of its own once data no longer streams in', () => {
    const { used, feed } = feeder();
    feed(65_536, 1);
    feed(65_536, 2);
    feed(10, 3);
    feed(10, 4);
    expect(used[1]).not.to.equal(used[0]);
    expect(used[3]).to.equal(used[0]);
  });

  it('says no when the reader does', () => {
    const { callback } = intake(() => false);
    expect(callback(1, Buffer.from('a'))).to.equal(false);
  });
});
