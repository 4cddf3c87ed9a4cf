import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { SweptEvent } from '../../../src/fleet/fleet.js';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import type { Cause } from '../../../src/guard/verdict.js';
import { Holdfast } from '../../../src/holdfast.js';
import { until, useNatLab, type NatServer } from '../../support/nat.js';

/** Kept alive by nobody: the kernel's own keepalive starts after a minute, long after the NAT has forgotten. */
const UNPROTECTED = { keepalive: { idle: '60s' }, probeAfterIdle: '1s' } as const;

async function open(holdfast: Holdfast, { host, port }: NatServer): Promise<Socket> {
  const socket = holdfast.connect({ host, port });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function openMany(holdfast: Holdfast, server: NatServer, count: number): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => open(holdfast, server)));
}

function write(socket: Socket, text: string): Promise<Error | undefined> {
  return new Promise(resolve => socket.write(text, error => resolve(error ?? undefined)));
}

for (const [expiry, cause] of [
  ['reset-on-packet', 'nat-eviction'],
  ['drop', 'path-timeout'],
] as const) {
  describe(`a fleet behind a NAT that forgets after 2 s, ${expiry}`, () => {
    const nat = useNatLab({ idleTimeout: 2000, expiry });

    /** Waits as long as the NAT remembers an idle flow. */
    async function timeout({ host, port }: NatServer): Promise<void> {
      const bare = connect(port, host).on('error', () => undefined);
      await once(bare, 'connect');
      const mine = `:${String(bare.localPort)}`;
      await until('the NAT forgets an unprotected socket', async () =>
        (await nat.lab.flows()).every(
          ({ client, state }) => !client.endsWith(mine) || state !== 'ESTABLISHED',
        ),
      );
      bare.destroy();
    }

    it('the first eviction sweeps 30 siblings, and no write is lost', async () => {
      const server = nat.serve();
      const holdfast = new Holdfast(UNPROTECTED);
      const causes: Cause[] = [];
      holdfast.on('died', ({ verdict }) => causes.push(verdict.cause));
      const swept = new Promise<SweptEvent>(resolve => holdfast.once('swept', resolve));
      const sockets = await openMany(holdfast, server, 31);
      await nat.evicted();

      const [first, ...siblings] = sockets;
      const fates: Promise<Error | undefined>[] = [];
      if (first !== undefined) fates.push(write(first, 'write 0;'));
      // Every sibling is written to in the middle of it all.
      holdfast.once('died', () => {
        for (const [index, each] of siblings.entries()) fates.push(write(each, `write ${index + 1};`));
      });
      const { reason, probed, alive, dead } = await swept;
      expect({ reason, probed, alive, dead }).to.deep.equal({
        reason: 'eviction',
        probed: 30,
        alive: 0,
        dead: 30,
      });
      const errors = await Promise.all(fates);
      expect(errors).to.have.length(31);
      for (const error of errors) expect(verdictOf(error)).to.include({ cause, delivery: 'never-sent' });
      expect(causes).to.deep.equal(Array.from({ length: 31 }, () => cause));
      expect(server.received).to.equal('');

      // Never sent, so safe to send again.
      const again = await Promise.all(errors.map(() => open(holdfast, server)));
      again.forEach((socket, index) => socket.write(`write ${index};`));
      await until('all writes arrive', () => server.received.split(';').length === 32);
      const texts = server.received.split(';').filter(text => text !== '');
      expect(new Set(texts).size).to.equal(31);
      for (const socket of again) socket.destroy();
    });

    it('what an eviction taught keeps later sockets alive', async () => {
      const server = nat.serve(peer => peer.on('data', chunk => peer.write(chunk)));
      const holdfast = new Holdfast(UNPROTECTED);
      const idles: number[] = [];
      holdfast.on('learned', ({ idle }) => idles.push(idle));
      // A lesson halves what it saw, so a machine that stalled for long needs another one.
      for (let lesson = 0; lesson < 5; lesson++) {
        const socket = await open(holdfast, server);
        // Alive after one timeout would not be enough: the first keepalive may come sooner than the later ones.
        const timeouts = lesson === 0 ? 1 : 3;
        for (let round = 0; round < timeouts; round++) await timeout(server);
        const error = await write(socket, 'still here');
        if (error === undefined) {
          await once(socket, 'data');
          socket.destroy();
          expect(idles.length).to.be.greaterThan(0);
          return;
        }
        expect(verdictOf(socket)).to.include({ cause });
      }
      expect.fail(`no socket outlived the NAT's timeout; learned: ${idles.join(', ')}`);
    });
  });
}

describe('a NAT that restarts', () => {
  const nat = useNatLab({ idleTimeout: 60_000, expiry: 'reset-on-packet' });

  it('teaches nothing: the flow had outlived such a silence before', async () => {
    const server = nat.serve();
    const holdfast = new Holdfast({ keepalive: { idle: '2s', interval: '2s' } });
    const learned: object[] = [];
    holdfast.on('learned', event => learned.push(event));
    const socket = await open(holdfast, server);
    await until('a keepalive is answered', () => {
      const info = holdfast.readTcpInfo(socket);
      return info !== undefined && Math.min(info.lastDataRecv, info.lastDataSent) - info.lastAckRecv >= 2000;
    });
    const swept = new Promise(resolve => holdfast.once('swept', resolve));
    await nat.lab.forget();
    await swept;
    expect(learned).to.deep.equal([]);
    expect(holdfast.lessons.of({ host: server.host, port: server.port })).to.include({
      survived: 2000,
      forgotten: undefined,
    });
  });

  it('a sweep on demand finds what it forgot, and leaves the living alone', async () => {
    const server = nat.serve();
    const holdfast = new Holdfast(UNPROTECTED);
    const dead = await openMany(holdfast, server, 3);
    await nat.lab.forget();
    const alive = await openMany(holdfast, server, 2);
    await until('all have been silent for a second', () =>
      [...dead, ...alive].every(socket => (holdfast.readTcpInfo(socket)?.lastAckRecv ?? 0) > 1000),
    );
    const result = await holdfast.sweep(`${server.host}:${server.port}`);
    expect(result).to.deep.equal({ probed: 5, alive: 2, dead: 3 });
    expect(dead.map(socket => socket.destroyed)).to.deep.equal([true, true, true]);
    expect(alive.map(socket => socket.destroyed)).to.deep.equal([false, false]);
    for (const socket of alive) socket.destroy();
  });
});
