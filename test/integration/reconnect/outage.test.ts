import { expect } from 'chai';
import { once } from 'node:events';
import { HoldfastError } from '../../../src/errors.js';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import type { AttemptedEvent, ResumedEvent, SuspendedEvent } from '../../../src/reconnect/events.js';
import { collect, death, recordEvents, uncaught, useRig } from './support/rig.js';

describe('a session through an outage', () => {
  const rig = useRig();

  it('goes on after a reset: same object, same listeners, both directions', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const data = collect(session);
    session.write('one');
    await peer.got(0, 'one');
    peer.last.write('first');
    await data.until('first');
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    session.write('two');
    await peer.got(1, 'two');
    peer.last.write('second');
    await data.until('second');
    expect(data.text).to.equal('firstsecond');
    expect(peer.received).to.deep.equal(['one', 'two']);
    expect(session.generation).to.equal(2);
  });

  it('tells suspended, attempted, then lets the hook run, then tells resumed, then sends what was held', async () => {
    const peer = await rig.listen();
    const seen: string[] = [];
    const session = await rig.opened({
      port: peer.port,
      resume: async ({ socket }) => {
        seen.push(`hook while ${session.state}`);
        socket.write('hello ');
        await peer.got(1, 'hello ');
        seen.push('hook done');
      },
    });
    recordEvents(session, seen);
    peer.onConnection = socket => socket.once('data', () => seen.push('peer got bytes'));
    session.once('suspended', () => session.write('held'));
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    seen.push(`resumed while ${session.state}`);
    await peer.got(1, 'held');
    expect(peer.received[1]).to.equal('hello held');
    expect(seen).to.deep.equal([
      'suspended',
      'attempted',
      'hook while resuming',
      'peer got bytes',
      'hook done',
      'resumed',
      'resumed while open',
    ]);
  });

  it('tells of each failed attempt, and of the one that connects', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, reconnect: { maxTimeout: 1, minTimeout: 1 } });
    const attempts: AttemptedEvent[] = [];
    session.on('attempted', attempt => attempts.push(attempt));
    await peer.close();
    while (attempts.length < 3) await once(session, 'attempted');
    await peer.listen();
    const [resumed] = (await once(session, 'resumed')) as [ResumedEvent];
    expect(attempts.map(({ attempt }) => attempt)).to.deep.equal(attempts.map((_, index) => index + 1));
    expect(attempts.slice(0, 3).map(({ error }) => (error as { code?: string }).code)).to.deep.equal(
      Array(3).fill('ECONNREFUSED'),
    );
    expect(attempts.at(-1)).not.to.have.property('error');
    expect(resumed.generation).to.equal(2);
    expect(resumed.downtime).to.be.greaterThan(0);
    expect(resumed.verdict.cause).to.equal('peer-closed');
  });

  it('says what the generation died of and what is known of its bytes', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    session.write('acknowledged');
    await peer.got(0, 'acknowledged');
    peer.last.resetAndDestroy();
    const [{ verdict, uncertain, pending }] = (await once(session, 'suspended')) as [SuspendedEvent];
    expect(verdict).to.include({ cause: 'peer-reset', code: 'ECONNRESET', delivery: 'all-acknowledged' });
    expect(uncertain).to.deep.equal({ bytes: 0, start: 12, end: 12 });
    expect(pending).to.deep.equal({ bytes: 0, writes: 0 });
  });

  it("ends with the socket's own error where the policy says no", async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, reconnect: { on: 'nat' } });
    const seen = recordEvents(session);
    peer.last.resetAndDestroy();
    const error = await death(session);
    expect(error.code).to.equal('ECONNRESET');
    expect(verdictOf(error)?.cause).to.equal('peer-reset');
    expect(seen).to.deep.equal(['error', 'close']);
    expect(session.state).to.equal('closed');
  });

  it('asks a policy function once for each death, with the verdict', async () => {
    const peer = await rig.listen();
    const asked: string[] = [];
    const on = ({ cause }: { cause: string }): boolean => asked.push(cause) === 1;
    const session = await rig.opened({ port: peer.port, reconnect: { on } });
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    (await peer.accepted(2)).resetAndDestroy();
    expect((await death(session)).code).to.equal('ECONNRESET');
    expect(asked).to.deep.equal(['peer-reset', 'peer-reset']);
  });

  it('ends with a clear error when the policy function throws', async () => {
    const peer = await rig.listen();
    const cause = new Error('boom');
    const on = (): boolean => {
      throw cause;
    };
    const session = await rig.opened({ port: peer.port, reconnect: { on } });
    peer.last.resetAndDestroy();
    const error = await death(session);
    expect(error).to.be.instanceOf(HoldfastError);
    expect(error).to.include({ code: 'ERR_HOLDFAST_RECONNECT_FAILED', cause });
  });

  it('gives up after its retries, saying how often, how long and why, and verdictOf finds the verdict', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({
      port: peer.port,
      reconnect: { retries: 2, minTimeout: 1, maxTimeout: 1 },
    });
    const seen = recordEvents(session);
    await peer.close();
    const error = await death(session);
    expect(error).to.include({
      code: 'ERR_HOLDFAST_RECONNECT_FAILED',
      attempts: 3,
      host: '127.0.0.1',
      port: peer.port,
    });
    expect(error).to.have.property('elapsed').that.is.a('number');
    expect(error.cause).to.have.property('code', 'ECONNREFUSED');
    expect(verdictOf(error)?.cause).to.equal('refused');
    expect(seen).to.deep.equal(['suspended', 'attempted', 'attempted', 'attempted', 'error', 'close']);
  });

  it('holds an attempt to its deadline, name lookup included', async () => {
    const peer = await rig.listen();
    let lookups = 0;
    const session = await rig.opened({
      host: 'db.test',
      port: peer.port,
      lookup: (_host, _options, callback) => {
        if (++lookups !== 2) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      },
      reconnect: { deadline: 50 },
    });
    const attempts: AttemptedEvent[] = [];
    session.on('attempted', attempt => attempts.push(attempt));
    peer.last.resetAndDestroy();
    await once(session, 'resumed');
    expect(attempts).to.have.length(2);
    expect(attempts[0]?.error).to.include({
      code: 'ERR_HOLDFAST_DEADLINE',
      phase: 'connect',
      host: 'db.test',
      attempt: 1,
    });
    expect(verdictOf(attempts[0]?.error)?.cause).to.equal('path-timeout');
  });

  it('reaches a host whose first address refuses, on every generation', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({
      host: 'db.test',
      port: peer.port,
      autoSelectFamily: true,
      lookup: (_host, _options, callback) =>
        callback(null, [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    const data = collect(session);
    for (const text of ['one', 'two']) {
      const socket = await peer.accepted(text === 'one' ? 1 : 2);
      socket.write(text);
      await data.until(text);
      session.write(text);
      await peer.got(text === 'one' ? 0 : 1, text);
      if (text === 'two') break;
      socket.resetAndDestroy();
      await once(session, 'resumed');
    }
    expect(data.text).to.equal('onetwo');
    expect(session.remoteAddress).to.equal('127.0.0.1');
  });

  it('survives a listener that throws', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    session.once('suspended', () => {
      throw new Error("a listener's defect");
    });
    const error = await uncaught(() => peer.last.resetAndDestroy());
    expect(error.message).to.equal("a listener's defect");
    if (session.state !== 'open') await once(session, 'resumed');
    session.write('still here');
    await peer.got(1, 'still here');
  });

  it('survives the callback of a write in doubt that throws', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    (await peer.accepted(1)).pause();
    session.write(Buffer.alloc(20_000_000), () => {
      throw new Error("a callback's defect");
    });
    const error = await uncaught(() => peer.last.resetAndDestroy());
    expect(error.message).to.equal("a callback's defect");
    if (session.state !== 'open') await once(session, 'resumed');
    session.write('still here');
    await peer.got(1, 'still here');
  });

  it('survives the callback of a held write that throws, and tells drain', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port, maxPendingBytes: 10_000 });
    (await peer.accepted(1)).resetAndDestroy();
    await once(session, 'suspended');
    session.write(Buffer.alloc(9000), () => {
      throw new Error("a callback's defect");
    });
    session.write('too much'.repeat(1000), () => undefined);
    const drained = once(session, 'drain');
    const error = await uncaught(() => undefined);
    expect(error.message).to.equal("a callback's defect");
    await drained;
  });

  it('tells the hooks of its instance, before its own listeners', async () => {
    const peer = await rig.listen();
    const told: unknown[] = [];
    const session = await rig.opened({
      port: peer.port,
      hooks: {
        suspended: (target, { verdict }) => told.push(['suspended', target, verdict.cause]),
        resumed: (target, { generation }) => told.push(['resumed', target, generation]),
      },
    });
    for (const name of ['suspended', 'resumed']) session.on(name, () => told.push(name));
    (await peer.accepted(1)).resetAndDestroy();
    await once(session, 'resumed');
    const target = { host: '127.0.0.1', address: '127.0.0.1', port: peer.port };
    const cause = (told[0] as string[])[2];
    expect(told).to.deep.equal([
      ['suspended', target, cause],
      'suspended',
      ['resumed', target, 2],
      'resumed',
    ]);
  });

  it('leaves no listener and no physical socket behind over many generations', async () => {
    const peer = await rig.listen();
    const session = await rig.opened({ port: peer.port });
    const count = (): number =>
      session.eventNames().reduce((sum, name) => sum + session.listenerCount(name), 0);
    const before = count();
    const listeners = session.physicalSocket?.eventNames().map(String).sort();
    for (let generation = 2; generation < 14; generation++) {
      (await peer.accepted(generation - 1)).resetAndDestroy();
      await once(session, 'resumed');
    }
    expect(count()).to.equal(before);
    expect(session.generation).to.equal(13);
    expect(session.physicalSocket?.eventNames().map(String).sort()).to.deep.equal(listeners);
  });
});
