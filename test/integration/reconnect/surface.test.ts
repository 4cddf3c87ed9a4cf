import { expect } from 'chai';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { HoldfastError } from '../../../src/errors.js';
import type { SuspendedEvent } from '../../../src/reconnect/events.js';
import { FakeClock } from '../../support/fake-clock.js';
import { collect, recordEvents, full, useRig, death } from './support/rig.js';

/** Timers that keep the process alive. */
function heldTimers(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
}

describe("a session's surface", () => {
  const rig = useRig();

  it('looks like net.Socket before, during and after the connection', async () => {
    const peer = await rig.listen();
    const views = [];
    for (const make of [() => rig.session({ port: peer.port }), () => connect(peer.port, '127.0.0.1')]) {
      const socket = make();
      const look = () => ({
        connecting: socket.connecting,
        pending: socket.pending,
        readyState: socket.readyState,
        remote: [socket.remoteAddress, socket.remotePort, socket.remoteFamily],
        local: [socket.localAddress, typeof socket.localPort],
        address: Object.keys(socket.address()).sort(),
        bytesWritten: socket.bytesWritten,
        destroyed: socket.destroyed,
      });
      const view = [look()];
      socket.write('12345');
      view.push(look());
      await once(socket, 'ready');
      view.push(look());
      socket.destroy();
      await once(socket, 'close');
      view.push({ ...look(), remote: [], local: [], address: [] });
      views.push(view);
    }
    expect(views[0]).to.deep.equal(views[1]);
  });

  it('keeps the last addresses through an outage, and then has the new ones', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const before = session.address();
    peer.last.resetAndDestroy();
    await once(session, 'suspended');
    expect(session.address()).to.deep.equal(before);
    expect(session.remotePort).to.equal(peer.port);
    expect(session.readyState).to.equal('open');
    expect(session.connecting).to.equal(false);
    await once(session, 'resumed');
    expect(session.address()).to.include({ address: '127.0.0.1', family: 'IPv4' }).and.not.deep.equal(before);
  });

  it('counts bytes over all generations', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const data = collect(session);
    session.write('12345');
    await peer.got(0, '12345');
    peer.last.write('abc');
    await data.until('abc');
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    session.write('678');
    peer.last.write('de');
    await data.until('de');
    await peer.got(1, '678');
    expect([session.bytesWritten, session.bytesRead]).to.deep.equal([8, 5]);
  });

  it("lets 'timeout' come in the middle of an outage, and run on in the next generation", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, reconnect: { maxTimeout: 1 } });
    await peer.close();
    expect(session.setTimeout(20)).to.equal(session);
    expect(session.timeout).to.equal(20);
    await once(session, 'timeout');
    expect(['suspended', 'resuming']).to.include(session.state);
    await peer.listen();
    if (session.state !== 'open') await once(session, 'resumed');
    session.write('x');
    await once(session, 'timeout');
    session.setTimeout(0);
    expect(session.timeout).to.equal(undefined);
  });

  it('applies setNoDelay to every generation', async () => {
    const peer = await rig.listen();
    const session = rig.session({ port: peer.port });
    expect(session.setNoDelay()).to.equal(session);
    expect(session.setKeepAlive(true, 1000)).to.equal(session);
    await once(session, 'ready');
    const told: unknown[] = [];
    const { setNoDelay } = Socket.prototype;
    Socket.prototype.setNoDelay = function (noDelay) {
      told.push(this, noDelay);
      return setNoDelay.call(this, noDelay);
    };
    try {
      (await peer.accepted(1)).resetAndDestroy();
      await once(session, 'resumed');
    } finally {
      Socket.prototype.setNoDelay = setNoDelay;
    }
    expect(told).to.deep.equal([session.physicalSocket, true]);
  });

  it('stays unreferenced on every generation', async () => {
    const held = (): number =>
      process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length;
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    await peer.accepted(1);
    const before = held();
    session.unref();
    expect(held()).to.equal(before - 1);
    peer.last.resetAndDestroy();
    await Promise.all([once(session, 'resumed'), peer.accepted(2)]);
    expect(held()).to.equal(before - 1);
  });

  it('holds the process through an outage, and not once unref() was called', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({
      port: peer.port,
      reconnect: { minTimeout: 60_000, maxTimeout: 60_000 },
    });
    const before = heldTimers();
    peer.last.resetAndDestroy();
    await once(session, 'suspended');
    expect(heldTimers()).to.equal(before + 1);
    session.unref();
    expect(heldTimers()).to.equal(before);
    session.ref();
    expect(heldTimers()).to.equal(before + 1);
    session.destroy();
    expect(heldTimers()).to.equal(before);
  });

  it('waits for connect(port, host) where it was given no port', async () => {
    const peer = await rig.listen();
    const session = rig.session({});
    expect(session.connecting).to.equal(false);
    session.write('early');
    let connects = 0;
    session.connect(peer.port, '127.0.0.1', () => connects++);
    expect(session.connecting).to.equal(true);
    await peer.got(0, 'early');
    expect(connects).to.equal(1);
  });

  it('takes a timeout, a signal and allowHalfOpen from connect() too', async () => {
    const peer = await rig.listen();
    const session = rig.session({});
    const ending = new AbortController();
    session.connect({ port: peer.port, timeout: 20, allowHalfOpen: true, signal: ending.signal });
    expect(session.timeout).to.equal(20);
    expect(session.allowHalfOpen).to.equal(true);
    await once(session, 'timeout');
    const listeners = session.physicalSocket?.eventNames();
    expect(listeners).not.to.include('timeout');
    await peer.close();
    peer.last.resetAndDestroy();
    if (session.state === 'open') await once(session, 'suspended');
    const dead = death(session);
    ending.abort();
    expect((await dead).name).to.equal('AbortError');
  });

  it("ignores connect()'s target where it has one, and emits 'connect' once", async () => {
    const peer = await rig.listen();
    const session = rig.session({ port: peer.port });
    const seen = recordEvents(session);
    session.connect(1, 'elsewhere.invalid');
    await once(session, 'ready');
    expect(seen).to.deep.equal(['connect', 'ready']);
    expect(session.remotePort).to.equal(peer.port);
  });

  it("emits 'connect' for a driver that calls connect() on an open session", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    session.connect(peer.port, '127.0.0.1');
    await once(session, 'connect');
    expect(peer.sockets).to.have.length(1);
  });

  it('refuses connect() once closed', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    session.destroy();
    await once(session, 'close');
    expect(() => session.connect(peer.port))
      .to.throw(HoldfastError)
      .with.property('code', 'ERR_HOLDFAST_CLOSED');
  });

  it('throws at once for what it cannot take, and leaves nothing open', async () => {
    for (const bad of [{ path: '/tmp/x' }, { onread: {} }, { socket: {} }, { port: 70_000 }, { port: 1.5 }]) {
      expect(() => rig.session({ port: 1, ...bad }))
        .to.throw(HoldfastError, Object.keys(bad)[0])
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
    const session = rig.session({});
    for (const bad of [undefined, '/tmp/x', true]) {
      expect(() => session.connect(bad))
        .to.throw(HoldfastError)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
    expect(() => session.setTimeout(-1))
      .to.throw(HoldfastError)
      .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    await Promise.resolve();
  });

  it('closes once what was written is out, after destroySoon()', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    session.write('x'.repeat(1_000_000));
    session.destroySoon();
    await once(session, 'close');
    await peer.got(0, 'x'.repeat(1_000_000));
  });
});

describe("a session's heartbeat", () => {
  const rig = useRig();
  const heartbeat = {
    interval: 20,
    timeout: 20,
    send: () => 'PING',
    receive: (chunk: Buffer) => (chunk.toString() === 'PONG' ? ('consumed' as const) : undefined),
  };

  it('beats on every generation, tells the round trip, and keeps replies from the reader', async () => {
    const peer = await rig.listen();
    peer.onConnection = socket => socket.on('data', () => socket.write('PONG'));
    const session = await rig.opened({ port: peer.port, heartbeat: { ...heartbeat, timeout: 5000 } });
    const data = collect(session);
    for (const index of [0, 1]) {
      const [{ rtt }] = (await once(session, 'heartbeat')) as [{ rtt: number }];
      expect(rtt).to.be.at.least(0);
      expect(peer.received[index]).to.match(/^(PING)+$/);
      peer.last.resetAndDestroy();
      await once(session, 'resumed');
    }
    peer.last.write('data');
    await data.until('data');
    expect(data.text).to.equal('data');
  });

  it('waits while the reader takes nothing: no beat is sent, and no silence held against the peer', async () => {
    const peer = await rig.listen();
    const clock = new FakeClock();
    const session = await rig.opened({ port: peer.port, heartbeat, clock });
    (await peer.accepted(1)).write(Buffer.alloc(1_000_000));
    await full(session);
    clock.advance(10 * heartbeat.interval);
    expect(session.state).to.equal('open');
    session.resume();
    while (session.bytesRead < 1_000_000) await new Promise(setImmediate);
    expect(peer.received[0]).to.equal('');
    clock.advance(1.5 * heartbeat.interval);
    await peer.got(0, 'PING');
  });

  it('keeps from the reader a reply that comes after the reader was full', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, heartbeat: { ...heartbeat, timeout: 5000 } });
    await peer.got(0, 'PING');
    peer.last.write(Buffer.alloc(1_000_000, 'x'));
    await full(session);
    const data = collect(session);
    while (session.bytesRead < 1_000_000) await new Promise(setImmediate);
    peer.last.write('PONG');
    while (session.bytesRead < 1_000_004) await new Promise(setImmediate);
    peer.last.write('data');
    await data.until('data');
    expect(data.text.replace(/x/g, '')).to.equal('data');
  });

  it('and all other timers are gone with the session', async () => {
    const peer = await rig.listen();
    const clock = new FakeClock();
    const session = await rig.opened({ port: peer.port, heartbeat, clock });
    const beat = { in: heartbeat.interval, hold: false };
    expect(clock.pending).to.deep.equal([beat]);
    session.setTimeout(5000);
    (await peer.accepted(1)).resetAndDestroy();
    await once(session, 'suspended');
    expect(clock.pending.map(({ hold }) => hold)).to.have.members([true, false]);
    session.destroy();
    expect(clock.pending).to.be.empty;
    await once(session, 'close');
  });

  it('that nobody answers is an outage, by the verdict of a silent path', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, heartbeat, reconnect: { on: 'nat' } });
    const [{ verdict }] = (await once(session, 'suspended')) as [SuspendedEvent];
    expect(verdict).to.include({ cause: 'path-timeout', code: 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT' });
    await once(session, 'resumed');
  });
});
