import { expect } from 'chai';
import type { Socket } from 'node:net';
import type { Verdict } from '../../../src/guard/verdict.js';
import { Outgoing, type WriteChunk } from '../../../src/reconnect/outgoing.js';
import { verdict } from './support/verdicts.js';

type Done = (error?: Error | null) => void;

/** Stands for a physical socket: records what it is given, and lets the test say when it is done. */
class FakeSink {
  bytesWritten: number;
  writableLength = 0;
  destroyed = false;
  readonly given: string[] = [];
  /** Unanswered callbacks; with `isSynchronous` there are none. */
  readonly waiting: Done[] = [];
  isSynchronous = true;
  /** A gate that holds writes lets no byte through. */
  isGated = false;

  constructor(writtenBefore = 0) {
    this.bytesWritten = writtenBefore;
  }
  get socket(): Socket {
    return this as unknown as Socket;
  }
  _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#take([chunk], done);
  }
  _writev(chunks: readonly WriteChunk[], done: Done): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }
  destroy(): void {
    this.destroyed = true;
  }
  #take(chunks: readonly Buffer[], done: Done): void {
    if (!this.isGated) {
      this.given.push(chunks.map(String).join('|'));
      this.bytesWritten += Buffer.concat(chunks).length;
    }
    if (this.isSynchronous && !this.isGated) done();
    else this.waiting.push(done);
  }
}

function dead(bytes: Partial<Verdict['bytes']>, delivery: Verdict['delivery'] = 'uncertain'): Verdict {
  const base = verdict('nat-eviction');
  return { ...base, delivery, bytes: { ...base.bytes, ...bytes } };
}

const UNKNOWN = dead({});
const BIG = Buffer.alloc(5000, 'x');
const tick = (): Promise<void> => new Promise(resolve => process.nextTick(resolve));

describe('outgoing bytes', () => {
  it('hands a small write over at once and calls it back at the end of the tick', async () => {
    const outgoing = new Outgoing();
    const sink = new FakeSink();
    outgoing.attach(sink.socket);
    let done = 0;
    outgoing.take(Buffer.from('a'), () => done++);
    expect(sink.given).to.deep.equal(['a']);
    expect(done).to.equal(0);
    await tick();
    expect(done).to.equal(1);
  });

  it('does not call a small write back before the socket has taken it', async () => {
    const outgoing = new Outgoing();
    const sink = new FakeSink();
    sink.isSynchronous = false;
    outgoing.attach(sink.socket);
    let done = 0;
    outgoing.take(Buffer.from('a'), () => done++);
    await tick();
    expect(done).to.equal(0);
    sink.waiting[0]?.();
    expect(done).to.equal(1);
  });

  it('calls a large write back as soon as the socket has taken it', () => {
    const outgoing = new Outgoing();
    outgoing.attach(new FakeSink().socket);
    let done = 0;
    outgoing.take(BIG, () => done++);
    expect(done).to.equal(1);
  });

  it('holds writes while there is no generation, and sends them once', () => {
    const outgoing = new Outgoing();
    const sink = new FakeSink();
    outgoing.take(Buffer.from('held'), () => undefined);
    outgoing.attach(sink.socket);
    expect(sink.given).to.be.empty;
    outgoing.flow();
    outgoing.flow();
    expect(sink.given).to.deep.equal(['held']);
  });

  it('keeps a write that the gate refused, and sends it once on the next generation', () => {
    const outgoing = new Outgoing();
    const first = new FakeSink(700);
    outgoing.attach(first.socket);
    outgoing.take(BIG, () => undefined);
    first.isGated = true;
    outgoing.take(Buffer.from('gated'), () => undefined);
    first.waiting[0]?.(new Error('never sent'));
    expect(first.destroyed).to.equal(true);
    const uncertain = outgoing.lose(first.socket, dead({}, 'never-sent'), false);
    expect(uncertain).to.deep.equal({ bytes: 5000, start: 0, end: 5000 });

    const second = new FakeSink();
    outgoing.attach(second.socket);
    outgoing.flow();
    expect(second.given).to.deep.equal(['gated']);
  });

  it('never sends again what a socket had begun to take', async () => {
    const outgoing = new Outgoing();
    const first = new FakeSink();
    first.isSynchronous = false;
    outgoing.attach(first.socket);
    let done = 0;
    outgoing.take(BIG, () => done++);
    const uncertain = outgoing.lose(first.socket, UNKNOWN, false);
    expect(uncertain).to.deep.equal({ bytes: 5000, start: 0, end: 5000 });
    // The caller's code does not run before the session knows of its loss.
    expect(done).to.equal(0);
    await tick();
    expect(done).to.equal(1);
    const second = new FakeSink();
    outgoing.attach(second.socket);
    outgoing.flow();
    expect(second.given).to.be.empty;
  });

  it('treats a gathered batch as a whole', async () => {
    const outgoing = new Outgoing();
    const sink = new FakeSink();
    sink.isGated = true;
    outgoing.attach(sink.socket);
    const chunks = ['a', 'bc'].map(text => ({ chunk: Buffer.from(text), encoding: 'utf8' }) as const);
    outgoing.count();
    outgoing.count();
    outgoing.take(chunks, () => undefined);
    outgoing.lose(sink.socket, UNKNOWN, false);
    expect(outgoing.pending(3)).to.deep.equal({ bytes: 3, writes: 2 });
    const second = new FakeSink();
    outgoing.attach(second.socket);
    outgoing.flow();
    expect(second.given).to.deep.equal(['a|bc']);
    await tick();
    expect(outgoing.pending(0)).to.deep.equal({ bytes: 0, writes: 0 });
  });

  it('ignores a callback of an older generation', async () => {
    const outgoing = new Outgoing();
    const first = new FakeSink();
    first.isGated = true;
    outgoing.attach(first.socket);
    let done = 0;
    outgoing.take(BIG, () => done++);
    outgoing.lose(first.socket, UNKNOWN, false);
    const second = new FakeSink();
    second.isSynchronous = false;
    outgoing.attach(second.socket);
    outgoing.flow();
    first.waiting[0]?.();
    expect(done).to.equal(0);
    second.waiting[0]?.();
    await tick();
    expect(done).to.equal(1);
  });

  describe('what is uncertain', () => {
    /** A second generation whose hook wrote 100 bytes, after 5000 in the first; then 5000 are handed over. */
    function secondGeneration(): { outgoing: Outgoing; sink: FakeSink } {
      const outgoing = new Outgoing();
      const first = new FakeSink();
      outgoing.attach(first.socket);
      outgoing.take(BIG, () => undefined);
      outgoing.lose(first.socket, UNKNOWN, false);
      const sink = new FakeSink(100);
      outgoing.attach(sink.socket);
      outgoing.take(BIG, () => undefined);
      return { outgoing, sink };
    }
    const counts = { acknowledged: 1100, unacknowledged: 3000, unsent: 1000 };

    it('is exact on a plain connection, and leaves out what the hook wrote', () => {
      const { outgoing, sink } = secondGeneration();
      expect(outgoing.lose(sink.socket, dead(counts), false)).to.deep.equal({
        bytes: 4000,
        start: 6000,
        end: 10_000,
      });
    });

    it('counts back from the end with TLS, where the kernel counts ciphertext', () => {
      const { outgoing, sink } = secondGeneration();
      expect(outgoing.lose(sink.socket, dead(counts), true)).to.deep.equal({
        bytes: 4000,
        start: 6000,
        end: 10_000,
      });
    });

    it('goes no further back than the generation with TLS', () => {
      const { outgoing, sink } = secondGeneration();
      const many = dead({ ...counts, unacknowledged: 90_000 });
      expect(outgoing.lose(sink.socket, many, true).start).to.equal(5000);
    });

    it('counts a TLS write that was not finished as not begun', () => {
      const { outgoing, sink } = secondGeneration();
      sink.isSynchronous = false;
      outgoing.take(BIG, () => undefined);
      const none = dead({ acknowledged: 5100, unacknowledged: 10, unsent: 0 });
      expect(outgoing.lose(sink.socket, none, true)).to.deep.equal({
        bytes: 5010,
        start: 9990,
        end: 15_000,
      });
    });

    it('is all of the generation where the kernel does not say', () => {
      const { outgoing, sink } = secondGeneration();
      expect(outgoing.lose(sink.socket, UNKNOWN, false)).to.deep.equal({
        bytes: 5000,
        start: 5000,
        end: 10_000,
      });
    });

    it('is nothing when all was acknowledged, an acknowledged FIN included', () => {
      const { outgoing, sink } = secondGeneration();
      const all = dead({ acknowledged: 5101, unacknowledged: 0, unsent: 0 });
      expect(outgoing.lose(sink.socket, all, false)).to.deep.equal({
        bytes: 0,
        start: 10_000,
        end: 10_000,
      });
      const other = secondGeneration();
      const delivery = dead({}, 'all-acknowledged');
      expect(other.outgoing.lose(other.sink.socket, delivery, true).bytes).to.equal(0);
    });
  });
});
