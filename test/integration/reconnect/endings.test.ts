import { expect } from 'chai';
import { once } from 'node:events';
import { PassThrough, pipeline } from 'node:stream';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import { FakeClock } from '../../support/fake-clock.js';
import { closed, collect, death, recordEvents, useRig, type SessionOptions } from './support/rig.js';

describe('the end of a session', () => {
  const rig = useRig();

  it("is the peer's FIN, after all data, and by default nothing is dialled again", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, reconnect: { on: 'nat' } });
    const seen = recordEvents(session);
    const data = collect(session);
    (await peer.accepted(1)).end('bye');
    await once(session, 'close');
    expect(data.text).to.equal('bye');
    expect(seen).to.deep.equal(['end', 'finish', 'close']);
    expect(peer.sockets).to.have.length(1);
  });

  it('comes where nobody reads and nothing is left to be read', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, reconnect: { on: 'nat' } });
    (await peer.accepted(1)).end();
    await closed(session);
  });

  it('leaves no timeout that can still be set', async () => {
    const peer = await rig.listen();
    const clock = new FakeClock();
    const session = await rig.opened({ port: peer.port, clock });
    session.destroy();
    session.setTimeout(1000);
    expect(clock.pending).to.be.empty;
    await closed(session);
  });

  it('does not take from a slow reader what came before it', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, allowHalfOpen: true });
    (await peer.accepted(1)).end('late readers are served too');
    session.end();
    const physical = session.physicalSocket!;
    while (!physical.destroyed) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(session.destroyed).to.equal(false);
    const data = collect(session);
    await closed(session);
    expect(data.text).to.equal('late readers are served too');
  });

  it('comes with the connection where the peer had sent its FIN and the writer had not', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, allowHalfOpen: true, reconnect: { on: 'nat' } });
    session.resume();
    (await peer.accepted(1)).end();
    await once(session, 'end');
    session.physicalSocket?.destroy();
    await closed(session);
  });

  it("is not the peer's FIN where the policy answers it", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const seen = recordEvents(session);
    const data = collect(session);
    peer.last.end('one');
    await once(session, 'resumed');
    peer.last.write('two');
    await data.until('two');
    expect(data.text).to.equal('onetwo');
    expect(seen).to.deep.equal(['suspended', 'attempted', 'resumed']);
  });

  it("is the peer's FIN where a policy function says no, and the other half stays open", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({
      port: peer.port,
      allowHalfOpen: true,
      reconnect: { on: () => false },
    });
    session.resume();
    (await peer.accepted(1)).end();
    await once(session, 'end');
    session.end('an answer all the same');
    await closed(session);
    await peer.got(0, 'all the same');
  });

  it('that this side wants reaches the peer as a FIN behind all writes', async () => {
    const peer = await rig.listen();
    const session = rig.session({ port: peer.port });
    session.end('all');
    const socket = await peer.accepted(1);
    await once(socket, 'end');
    expect(peer.received[0]).to.equal('all');
    socket.end();
    session.resume();
    await once(session, 'close');
  });

  it('asked for while suspended waits for the resume: first what is held, then the FIN', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const seen = recordEvents(session);
    session.once('suspended', () => {
      session.write('held');
      session.end(' last');
    });
    peer.last.resetAndDestroy();
    const socket = await peer.accepted(2);
    await once(socket, 'end');
    expect(peer.received[1]).to.equal('held last');
    socket.end();
    session.resume();
    await once(session, 'close');
    expect(seen).to.deep.equal(['suspended', 'attempted', 'resumed', 'finish', 'end', 'close']);
  });

  it('already asked for is asked for again on the next generation', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const data = collect(session);
    session.end('request');
    const first = await peer.accepted(1);
    await once(first, 'end');
    first.resetAndDestroy();
    const second = await peer.accepted(2);
    await once(second, 'end');
    expect(peer.received).to.deep.equal(['request', '']);
    second.end('answer');
    await once(session, 'close');
    expect(data.text).to.equal('answer');
  });

  const closers: Record<string, (options: SessionOptions) => Promise<void>> = {
    connecting: async options => {
      const session = rig.session(options);
      const seen = recordEvents(session);
      expect(session.state).to.equal('connecting');
      session.destroy();
      session.destroy();
      await once(session, 'close');
      expect(seen).to.deep.equal(['close']);
    },
    open: async options => {
      const session = await rig.opened(options);
      const seen = recordEvents(session);
      session.destroy();
      await once(session, 'close');
      expect(seen).to.deep.equal(['close']);
    },
    'open, with an error': async options => {
      const session = await rig.opened(options);
      const seen = recordEvents(session);
      const error = new Error('enough');
      session.destroy(error);
      expect(await death(session)).to.equal(error);
      expect(seen).to.deep.equal(['error', 'close']);
    },
  };
  for (const [state, close] of Object.entries(closers)) {
    it(`comes once and leaves nothing open when destroyed while ${state}`, async () => {
      const peer = await rig.listen();
      await close({ port: peer.port });
    });
  }

  it('comes once when destroyed while suspended, and nothing is dialled', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const seen = recordEvents(session);
    session.once('suspended', () => session.destroy());
    peer.last.resetAndDestroy();
    await once(session, 'close');
    await new Promise(resolve => setTimeout(resolve, 10));
    expect(seen).to.deep.equal(['suspended', 'close']);
    expect(peer.sockets).to.have.length(1);
  });

  for (const event of ['attempted', 'resumed'] as const) {
    it(`comes once when destroyed by a listener of '${event}'`, async () => {
      const peer = await rig.listen();
      const session = await rig.opened({ port: peer.port });
      const seen = recordEvents(session);
      session.once('suspended', () => session.write('never'));
      session.once(event, () => session.destroy());
      peer.last.resetAndDestroy();
      await once(session, 'close');
      expect(seen.filter(name => name === 'close')).to.have.length(1);
      expect(seen).not.to.include('error');
      expect(peer.received.join('')).to.equal('');
    });
  }

  it("says on 'close' whether there was an error, as net.Socket does", async () => {
    const peer = await rig.listen();
    for (const error of [undefined, new Error('x')]) {
      const session = await rig.opened({ port: peer.port });
      session.on('error', () => undefined);
      session.destroy(error);
      expect(await closed(session)).to.equal(error !== undefined);
      expect(session.closed).to.equal(true);
    }
  });

  it("is no outage when pipeline() passes a foreign stream's reset on", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const seen = recordEvents(session);
    const other = new PassThrough();
    const foreign = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const done = new Promise(resolve => pipeline(other, session, resolve));
    other.destroy(foreign);
    await closed(session);
    expect(await done).to.equal(foreign);
    expect(seen.filter(name => name !== 'error')).to.deep.equal(['close']);
    expect(peer.sockets).to.have.length(1);
  });

  it('is a reset for the peer where that is wanted', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const reset = once(await peer.accepted(1), 'error');
    session.resetAndDestroy();
    const [error] = (await reset) as [Error];
    expect(error).to.have.property('code', 'ECONNRESET');
  });

  for (const state of ['before it connects', 'while open', 'while suspended'] as const) {
    it(`is an AbortError when the signal is aborted ${state}`, async () => {
      const peer = await rig.listen();
      const controller = new AbortController();
      const options = { port: peer.port, signal: controller.signal };
      const session = state === 'before it connects' ? rig.session(options) : await rig.opened(options);
      if (state === 'while suspended') {
        session.once('suspended', () => controller.abort());
        peer.last.resetAndDestroy();
      } else controller.abort();
      expect((await death(session)).name).to.equal('AbortError');
    });
  }

  it('comes at once where the signal was aborted before', async () => {
    const peer = await rig.listen();
    const session = rig.session({ port: peer.port, signal: AbortSignal.abort() });
    expect((await death(session)).name).to.equal('AbortError');
    expect(peer.sockets).to.be.empty;
  });
});

describe('the first connection of a session', () => {
  const rig = useRig();

  it('fails like net.connect: one error, one close, no second try', async () => {
    const peer = await rig.listen();
    await peer.close();
    const session = rig.session({ port: peer.port, reconnect: { on: 'nat' } });
    const seen = recordEvents(session);
    const error = await death(session);
    expect(error.code).to.equal('ECONNREFUSED');
    expect(verdictOf(error)?.cause).to.equal('refused');
    expect(seen).to.deep.equal(['error', 'close']);
  });

  it('is tried again where the policy says so, with writes held meanwhile', async () => {
    const peer = await rig.listen();
    await peer.close();
    const session = rig.session({ port: peer.port, reconnect: { maxTimeout: 1 } });
    const seen = recordEvents(session);
    session.write('patient');
    await once(session, 'attempted');
    expect(session.connecting).to.equal(true);
    await peer.listen();
    await peer.got(0, 'patient');
    expect(new Set(seen)).to.deep.equal(new Set(['attempted', 'connect', 'ready']));
  });

  it('that a policy function refuses to repeat fails with its own error', async () => {
    const peer = await rig.listen();
    await peer.close();
    const asked: string[] = [];
    const on = ({ cause }: { cause: string }): boolean => asked.push(cause) < 3;
    const session = rig.session({ port: peer.port, reconnect: { on, maxTimeout: 1 } });
    expect((await death(session)).code).to.equal('ECONNREFUSED');
    expect(asked).to.deep.equal(['refused', 'refused', 'refused']);
  });
});
