import { expect } from 'chai';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { AttemptedEvent, ResumeSession } from '../../../src/reconnect/events.js';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import { collect, death, recordEvents, useRig } from './support/rig.js';

describe('the resume hook', () => {
  const rig = useRig();

  it('does not run on the first connection', async () => {
    const peer = await rig.listen();
    let runs = 0;
    const session = await rig.opened({ port: peer.port, resume: () => runs++ });
    session.write('x');
    await peer.got(0, 'x');
    expect(runs).to.equal(0);
  });

  it('is told which generation it restores, why, and what became of bytes', async () => {
    const peer = await rig.listen();
    const told: ResumeSession[] = [];
    const session = await rig.opened({ port: peer.port, resume: given => void told.push(given) });
    session.write('abc');
    await peer.got(0, 'abc');
    session.once('suspended', () => session.write('held'));
    peer.last.resetAndDestroy();
    await peer.got(1, 'held');
    expect(told).to.have.length(1);
    expect(told[0]).to.deep.include({
      generation: 2,
      pending: { bytes: 4, writes: 1 },
      uncertain: { bytes: 0, start: 3, end: 3 },
    });
    expect(told[0]?.verdict.cause).to.equal('peer-reset');
    expect(told[0]?.socket).to.equal(session.physicalSocket);
  });

  const readers: Record<string, (socket: Socket) => Promise<string>> = {
    "once('data') and unshift": async socket => {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      socket.pause();
      socket.unshift(chunk.subarray(3));
      return chunk.subarray(0, 3).toString();
    },
    "'readable' and read(n)": async socket => {
      while (socket.readableLength < 3) await once(socket, 'readable');
      return String(socket.read(3));
    },
    "the documentation's way": async socket => {
      let text = '';
      while (!text.includes('!')) {
        await once(socket, 'readable');
        text += String(socket.read() ?? '');
      }
      const end = text.indexOf('!') + 1;
      socket.unshift(Buffer.from(text.slice(end)));
      return text.slice(0, end);
    },
    'an async iterator that is left': async socket => {
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        socket.unshift((chunk as Buffer).subarray(3));
        return (chunk as Buffer).subarray(0, 3).toString();
      }
      return '';
    },
  };
  for (const [way, read] of Object.entries(readers)) {
    it(`reads by ${way}, and the reader gets exactly what it left`, async () => {
      const peer = await rig.listen();
      let greeting = '';
      const session = await rig.opened({
        port: peer.port,
        resume: async ({ socket }) => void (greeting = await read(socket)),
      });
      const data = collect(session);
      peer.onConnection = socket => socket.write('hi!rest');
      peer.last.resetAndDestroy();
      await once(session, 'resumed');
      peer.last.write(' and more');
      await data.until('more');
      expect(greeting).to.equal('hi!');
      expect(data.text).to.equal('rest and more');
    });
  }

  it('may leave writes of its own behind: they go before what was held', async () => {
    const peer = await rig.listen();
    const big = 'g'.repeat(8_000_000);
    const session = await rig.opened({
      port: peer.port,
      resume: ({ socket }) => {
        socket.write('greeting');
        socket.write(big);
        // Behind the big one, which the system does not take at once.
        socket.write(' tail ');
      },
    });
    session.once('suspended', () => {
      session.write('held');
      session.write(' twice');
    });
    peer.last.resetAndDestroy();
    await peer.got(1, 'twice');
    expect(peer.received[1] === `greeting${big} tail held twice`).to.equal(true);
    session.write(' then');
    await peer.got(1, ' then');
  });

  for (const [how, fail] of [
    [
      'throws',
      () => {
        throw new Error('no entry');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no entry'))],
  ] as const) {
    it(`that ${how} fails the attempt: its socket is closed, nothing held is sent on it, the next is made`, async () => {
      const peer = await rig.listen();
      let runs = 0;
      const session = await rig.opened({
        port: peer.port,
        resume: ({ generation }) => {
          expect(generation).to.equal(2);
          return ++runs < 3 ? fail() : undefined;
        },
      });
      const seen = recordEvents(session);
      const failures: AttemptedEvent[] = [];
      session.on('attempted', event => event.error && failures.push(event));
      session.once('suspended', () => session.write('held'));
      peer.last.resetAndDestroy();
      await peer.got(3, 'held');
      expect(peer.received).to.deep.equal(['', '', '', 'held']);
      expect(
        failures.map(({ error, attempt }) => [(error as { code?: string }).code, attempt]),
      ).to.deep.equal([
        ['ERR_HOLDFAST_RESUME_FAILED', 1],
        ['ERR_HOLDFAST_RESUME_FAILED', 2],
      ]);
      expect(failures[0]?.error?.cause).to.have.property('message', 'no entry');
      expect(seen).to.deep.equal([
        'suspended',
        ...['attempted', 'attempted', 'attempted', 'attempted', 'attempted'],
        'resumed',
      ]);
      expect(session.generation).to.equal(2);
    });
  }

  it('that always fails ends the session in the end, with the verdict on the connection that was lost', async () => {
    const peer = await rig.listen();
    const cause = new Error('no entry');
    const session = await rig.opened({
      port: peer.port,
      reconnect: { retries: 1 },
      resume: () => Promise.reject(cause),
    });
    peer.last.resetAndDestroy();
    const error = await death(session);
    expect(error).to.include({ code: 'ERR_HOLDFAST_RECONNECT_FAILED', attempts: 2 });
    expect(error.cause).to.include({ code: 'ERR_HOLDFAST_RESUME_FAILED', cause });
    expect(verdictOf(error)?.cause).to.equal('peer-reset');
  });

  it('that always hangs ends the session with the verdict on the connection that was lost', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({
      port: peer.port,
      reconnect: { retries: 0, deadline: 50 },
      resume: () => new Promise(() => undefined),
    });
    peer.last.resetAndDestroy();
    const error = await death(session);
    expect(error.cause).to.include({ code: 'ERR_HOLDFAST_DEADLINE', phase: 'resume' });
    expect(verdictOf(error)?.cause).to.equal('peer-reset');
  });

  it('that hangs is held to the deadline', async () => {
    const peer = await rig.listen();
    let runs = 0;
    const session = await rig.opened({
      port: peer.port,
      reconnect: { deadline: 50 },
      resume: () => (++runs === 1 ? new Promise(() => undefined) : undefined),
    });
    const errors: unknown[] = [];
    session.on('attempted', ({ error }) => error && errors.push(error));
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include({ code: 'ERR_HOLDFAST_DEADLINE', phase: 'resume', attempt: 1 });
  });

  it('that was given up on and finishes late does not finish for the one after it', async () => {
    const peer = await rig.listen();
    const finishers: (() => void)[] = [];
    const session = await rig.opened({
      port: peer.port,
      reconnect: { deadline: 50 },
      resume: () => new Promise<void>(resolve => finishers.push(resolve)),
    });
    session.once('suspended', () => session.write('held'));
    peer.last.resetAndDestroy();
    while (finishers.length < 2) await once(session, 'attempted');
    finishers[0]?.();
    await new Promise(setImmediate);
    expect(session.state).to.equal('resuming');
    finishers[1]?.();
    await once(session, 'resumed');
    await peer.got(2, 'held');
    expect(peer.received).to.deep.equal(['', '', 'held']);
  });

  it('that closes its socket and says all is well has failed', async () => {
    const peer = await rig.listen();
    let runs = 0;
    const session = await rig.opened({
      port: peer.port,
      resume: ({ socket }) => {
        if (++runs === 1) socket.destroy();
      },
    });
    const errors: unknown[] = [];
    session.on('attempted', ({ error }) => error && errors.push(error));
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    expect(runs).to.equal(2);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.be.instanceOf(Error);
  });

  it('that hangs on a connection which dies is not waited for', async () => {
    const peer = await rig.listen();
    let runs = 0;
    const session = await rig.opened({
      port: peer.port,
      resume: () => (++runs === 1 ? new Promise(() => undefined) : undefined),
    });
    peer.onConnection = (socket, index) => {
      if (index === 1) setImmediate(() => socket.resetAndDestroy());
    };
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    expect(runs).to.equal(2);
  });

  it('that finishes after the session was closed changes nothing', async () => {
    const peer = await rig.listen();
    let finish: (() => void) | undefined;
    const session = await rig.opened({
      port: peer.port,
      resume: () => new Promise<void>(resolve => (finish = resolve)),
    });
    const seen = recordEvents(session);
    peer.last.resetAndDestroy();
    while (finish === undefined) await once(session, 'attempted');
    expect(session.state).to.equal('resuming');
    session.destroy();
    finish();
    await once(session, 'close');
    await new Promise(setImmediate);
    expect(seen).to.deep.equal(['suspended', 'attempted', 'close']);
    expect(session.state).to.equal('closed');
  });
});
