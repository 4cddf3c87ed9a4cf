import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SuspendedEvent } from '../../../src/reconnect/events.js';
import type { ReconnectingSocket } from '../../../src/reconnect/reconnecting-socket.js';
import { collect, death, uncaught, useRig, type Peer } from './support/rig.js';

describe('the bytes of a session', () => {
  const rig = useRig();

  it('are held while it connects, and sent in order', async () => {
    const peer = await rig.listen();
    const session = rig.session({ port: peer.port });
    for (let line = 0; line < 100; line++) session.write(`${line}\n`);
    await peer.got(0, '99\n');
    expect(peer.received[0]).to.equal(Array.from({ length: 100 }, (_, line) => `${line}\n`).join(''));
  });

  it('that the write gate refused are sent once, after the resume, in order', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    // The reset is in the kernel before the write, and this process has not read it: the gate finds it.
    (await peer.accepted(1)).resetAndDestroy();
    session.write('gated ');
    session.write('and behind');
    const [{ verdict, uncertain, pending }] = (await once(session, 'suspended')) as [SuspendedEvent];
    expect(verdict.delivery).to.equal('never-sent');
    expect(uncertain).to.deep.equal({ bytes: 0, start: 0, end: 0 });
    expect(pending).to.deep.equal({ bytes: 16, writes: 2 });
    await peer.got(1, 'behind');
    expect(peer.received).to.deep.equal(['', 'gated and behind']);
  });

  it('that were handed over without a gate are reported, and not sent again', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, probeAfterIdle: false });
    session.write('arrived');
    await peer.got(0, 'arrived');
    peer.last.resetAndDestroy();
    session.write('lost');
    const [{ uncertain }] = (await once(session, 'suspended')) as [SuspendedEvent];
    expect(uncertain).to.deep.equal({ bytes: 4, start: 7, end: 11 });
    session.write('next');
    await peer.got(1, 'next');
    expect(peer.received).to.deep.equal(['arrived', 'next']);
  });

  it('are all in doubt since the generation began where the kernel cannot be asked', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, backend: 'node' });
    for (const [index, uncertain] of [
      { bytes: 3, start: 0, end: 3 },
      { bytes: 3, start: 3, end: 6 },
    ].entries()) {
      session.write('abc');
      await peer.got(index, 'abc');
      const suspended = once(session, 'suspended') as Promise<[SuspendedEvent]>;
      const resumed = once(session, 'resumed');
      peer.last.resetAndDestroy();
      expect((await suspended)[0].uncertain).to.deep.equal(uncertain);
      await Promise.all([resumed, peer.accepted(index + 2)]);
    }
  });

  it('written while suspended go out once, each callback called without an error', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const results: (Error | null | undefined)[] = [];
    session.once('suspended', () => {
      for (let line = 0; line < 50; line++) session.write(`${line}\n`, error => results.push(error));
      expect(session.pendingWrites).to.deep.equal({ bytes: 140, writes: 50 });
    });
    peer.last.resetAndDestroy();
    await peer.got(1, '49\n');
    expect(peer.received[1]).to.equal(Array.from({ length: 50 }, (_, line) => `${line}\n`).join(''));
    while (results.length < 50) await new Promise(setImmediate);
    expect(results.every(error => !error)).to.equal(true);
    expect(session.pendingWrites).to.deep.equal({ bytes: 0, writes: 0 });
  });

  it('past maxPendingBytes are refused with a code, and what was held before still arrives', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, maxPendingBytes: 10 });
    const refusals: Error[] = [];
    const refused = (error: Error | null | undefined): void => {
      if (error) refusals.push(error);
    };
    session.once('suspended', () => {
      session.write('12345678', refused);
      expect(session.write('9abc', refused)).to.equal(false);
      // Small enough, but it would arrive behind a hole.
      session.write('d', refused);
    });
    peer.last.resetAndDestroy();
    await Promise.all([once(session, 'resumed'), once(session, 'drain')]);
    session.write('after');
    await peer.got(1, 'after');
    expect(peer.received[1]).to.equal('12345678after');
    expect(refusals).to.have.length(2);
    const counts = { pendingBytes: 8, maxPendingBytes: 10 };
    expect(refusals[0]).to.include({ code: 'ERR_HOLDFAST_PENDING_FULL', ...counts, refusedBytes: 4 });
    expect(refusals[1]).to.include({ code: 'ERR_HOLDFAST_PENDING_FULL', ...counts, refusedBytes: 1 });
  });

  it('past maxPendingBytes end the session when nobody would be told otherwise', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, maxPendingBytes: 10 });
    session.once('suspended', () => session.write('0123456789a'));
    peer.last.resetAndDestroy();
    expect(await death(session)).to.include({ code: 'ERR_HOLDFAST_PENDING_FULL', refusedBytes: 11 });
  });

  it('have no limit while the session is open', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, maxPendingBytes: 10 });
    session.write('more than ten bytes');
    await peer.got(0, 'more than ten bytes');
  });

  it('arrive intact in both directions, large and small, slow reader or fast', async () => {
    const peer = await rig.listen();
    peer.server.removeAllListeners('connection');
    peer.server.on('connection', socket => {
      peer.sockets.push(socket);
      socket.pipe(socket);
    });
    const session = await rig.opened({ port: peer.port });
    const sizes = [1, 10, 100_000, 4095, 4096, 1, 1_000_000, 65_536, 65_537, 3, 2_000_000];
    const sent = createHash('md5');
    const got = createHash('md5');
    let value = 0;
    const chunks = sizes.map(size => Buffer.alloc(size).map(() => (value = (value * 31 + 7) % 251)));
    for (const chunk of chunks) sent.update(chunk);
    const written = pipeline(Readable.from(chunks), session);
    let reads = 0;
    for await (const chunk of session) {
      got.update(chunk as Buffer);
      if (++reads % 7 === 0) await new Promise(setImmediate);
    }
    await written;
    expect(got.digest('hex')).to.equal(sent.digest('hex'));
    expect(session.bytesRead).to.equal(sizes.reduce((sum, size) => sum + size, 0));
    expect(session.bytesWritten).to.equal(session.bytesRead);
  });

  it('that a paused reader has not taken yet survive the reset', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, resume: () => undefined });
    for (const index of [0, 1, 2]) {
      const socket = await peer.accepted(index + 1);
      const before = session.readableLength;
      await new Promise(resolve => socket.write(`${index}`, resolve));
      while (session.readableLength === before) await new Promise(setImmediate);
      socket.resetAndDestroy();
      await once(session, 'resumed');
    }
    const data = collect(session);
    await data.until('2');
    expect(data.text).to.equal('012');
  });

  it('that the physical socket had read for a reader that did not want them yet are not lost with it', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({
      port: peer.port,
      reconnect: { on: () => true },
      resume: () => undefined,
    });
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    const physical = session.physicalSocket!;
    peer.last.write(Buffer.alloc(1_000_000));
    while (physical.readableLength === 0) await new Promise(setImmediate);
    const arrived = session.readableLength + physical.readableLength;
    physical.destroy();
    await once(session, 'resumed');
    expect(session.readableLength).to.equal(arrived);
  });

  for (const resume of [undefined, () => undefined]) {
    it(`are not read faster than the reader takes them (${resume ? 'after' : 'without'} a resume hook)`, async () => {
      const peer = await rig.listen();
      const session = await rig.opened({ port: peer.port, ...(resume && { resume }) });
      if (resume) {
        peer.last.resetAndDestroy();
        await once(session, 'resumed');
      }
      const total = 20_000_000;
      peer.last.write(Buffer.alloc(total));
      let most = 0;
      let got = 0;
      for await (const chunk of session) {
        got += (chunk as Buffer).length;
        if (got === total) break;
        most = Math.max(most, session.readableLength);
        await new Promise(setImmediate);
      }
      expect(got).to.equal(total);
      expect(most).to.be.below(total / 10);
    });
  }

  it('of one tick reach the peer in as few writes as the system takes', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const physical = session.physicalSocket!;
    let calls = 0;
    const { _write, _writev } = physical;
    physical._write = (...args) => {
      calls++;
      return _write.apply(physical, args);
    };
    physical._writev = (...args) => {
      calls++;
      return _writev!.apply(physical, args);
    };
    for (let line = 0; line < 500; line++) session.write('x');
    await peer.got(0, 'x'.repeat(500));
    expect(calls).to.equal(2);
  });

  it('are refused after the end and after the close, with the codes of any stream', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const late = (): Promise<unknown> => new Promise(resolve => session.write('late', resolve));
    const error = death(session);
    session.end('last');
    expect(await late()).to.have.property('code', 'ERR_STREAM_WRITE_AFTER_END');
    expect((await error).code).to.equal('ERR_STREAM_WRITE_AFTER_END');
    const other = await rig.opened({ port: peer.port });
    other.destroy();
    const result = await new Promise(resolve => other.write('late', resolve));
    expect(result).to.have.property('code', 'ERR_STREAM_DESTROYED');
  });

  it('that were held are called back with an error when the session is destroyed', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const results: unknown[] = [];
    session.once('suspended', () => {
      session.write('one', error => results.push(error));
      session.write('two', error => results.push(error));
      session.destroy();
    });
    peer.last.resetAndDestroy();
    await once(session, 'close');
    expect(results).to.have.length(2);
    for (const result of results) expect(result).to.be.instanceOf(Error);
  });

  it('are not counted as held when they were refused as no chunk', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    (await peer.accepted(1)).resetAndDestroy();
    await once(session, 'suspended');
    expect(() => session.write(null)).to.throw(TypeError);
    expect(() => session.write(5)).to.throw(TypeError);
    session.write('one');
    expect(session.pendingWrites).to.deep.equal({ bytes: 3, writes: 1 });
  });
});

describe('bytes that come in', () => {
  const rig = useRig();

  const size = 8_000_000;
  const part = 100_000;

  async function send(peer: Peer): Promise<void> {
    const socket = await peer.accepted(1);
    for (let index = 0; index < size / part; index++) socket.write(Buffer.alloc(part, index));
  }

  /** Keeps all chunks until the end: a buffer that is used again would show. */
  async function receive(session: ReconnectingSocket, seen: (count: number) => void): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    session.on('data', chunk => {
      bytes += chunks[chunks.push(chunk) - 1]!.length;
      seen(chunks.length);
    });
    while (bytes < size) await new Promise(setImmediate);
    return Buffer.concat(chunks);
  }

  function isIntact(bytes: Buffer): boolean {
    return bytes.every((byte, index) => byte === Math.floor(index / part));
  }

  it('are right where the process survives no exception, and data is not copied', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      void send(peer);
      expect(isIntact(await receive(session, () => undefined))).to.equal(true);
    } finally {
      for (const listener of others) process.on('uncaughtException', listener);
    }
  });

  for (const when of ['at once', 'later in the tick'] as const) {
    it(`are right where a listener throws ${when}, and the process survives that`, async () => {
      const peer = await rig.listen();
      const session = await rig.opened({ port: peer.port });
      const fail = (): never => {
        throw new Error("a listener's defect");
      };
      const received = receive(session, count => {
        if (count !== 6) return;
        if (when === 'at once') fail();
        process.nextTick(fail);
      });
      expect((await uncaught(() => send(peer))).message).to.equal("a listener's defect");
      expect(isIntact(await received)).to.equal(true);
    });
  }
});
