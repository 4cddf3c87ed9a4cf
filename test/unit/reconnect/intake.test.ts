import { expect } from 'chai';
import { intake } from '../../../src/reconnect/intake.js';

type Give = (socket: unknown, chunk: Buffer) => boolean;
const toFeeder: Give = (socket, chunk) => (socket as { got: Buffer[] }).got.push(chunk) < Infinity;

/** Plays Node's part of `onread`: fills the buffer it is given, tells of it, and asks for the next. */
function feeder(onread = intake(toFeeder, () => false)) {
  const got: Buffer[] = [];
  const { buffer, callback } = onread;
  if (typeof buffer !== 'function') throw new Error('intake gives a function');
  let current = buffer();
  const used: Uint8Array[] = [];
  return {
    got,
    used,
    feed(length: number, value: number): void {
      used.push(current);
      current.fill(value, 0, length);
      callback.call({ got } as never, length, current);
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
    const onread = intake(toFeeder, () => false);
    const [one, two] = [feeder(onread), feeder(onread)];
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

  it('gives no two connections the same part of a slab, whoever asks for a buffer, and when', () => {
    const other = { reads: [] as Uint8Array[] };
    const onread = intake(
      (socket, chunk) => {
        // Opens a connection in the middle of a read.
        if (typeof onread.buffer === 'function') other.reads.push(onread.buffer());
        return toFeeder(socket, chunk);
      },
      () => false,
    );
    const one = feeder(onread);
    for (let read = 0; read < 10; read++) one.feed(65_536, read);
    expect(new Set(other.reads).size).to.equal(1);
    expect(one.used.slice(1)).not.to.include(other.reads[0]);
    one.got.forEach((chunk, read) => expect(chunk.every(byte => byte === read)).to.equal(true));
  });

  it('gives copies, and never changes a buffer, where the process survives what is thrown', () => {
    let isSurvivable = true;
    const one = feeder(intake(toFeeder, () => isSurvivable));
    for (let read = 0; read < 4; read++) one.feed(65_536, read);
    expect(new Set(one.used).size).to.equal(1);
    isSurvivable = false;
    for (let read = 4; read < 7; read++) one.feed(65_536, read);
    isSurvivable = true;
    for (let read = 7; read < 12; read++) one.feed(65_536, read);
    expect(new Set(one.used.slice(7)).size).to.equal(1);
    one.got.forEach((chunk, read) => expect(chunk.every(byte => byte === read)).to.equal(true));
  });

  it('says no when the reader does', () => {
    const { callback } = intake(() => false);
    expect(callback(1, Buffer.from('a'))).to.equal(false);
  });
});
