import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { Holdfast, HoldfastError } from '../../src/index.js';
import { connectPair, listen } from '../support/pair.js';

describe('Holdfast', () => {
  it('tells that a socket was hardened and what it died of, and says the same on diagnostics_channel', async () => {
    const pair = await connectPair();
    const hf = new Holdfast();
    const events: Record<string, unknown>[] = [];
    const published: unknown[] = [];
    const listener = (message: unknown): void => void published.push(message);
    subscribe('holdfast:hardened', listener);
    subscribe('holdfast:died', listener);
    hf.on('hardened', event => void events.push({ ...event }));
    hf.on('died', event => void events.push({ ...event }));
    const guard = hf.harden(pair.client);
    pair.client.destroy();
    await once(pair.client, 'close');
    unsubscribe('holdfast:hardened', listener);
    unsubscribe('holdfast:died', listener);
    expect(events).to.deep.equal([
      { target: guard.target, settings: guard.settings },
      { target: guard.target, verdict: guard.verdict },
    ]);
    expect(published).to.deep.equal(events);
    await pair.close();
  });

  it('tells when a reconnecting socket lost its connection and has another', async () => {
    let accepted = 0;
    const { port, close } = await listen(peer => {
      if (++accepted === 1) peer.once('data', () => peer.resetAndDestroy());
      else peer.resume();
    });
    const hf = new Holdfast();
    const events: string[] = [];
    hf.on(
      'suspended',
      ({ target, verdict }) => void events.push(`suspended ${target?.port} ${verdict.cause}`),
    );
    hf.on('resumed', ({ target, generation }) => void events.push(`resumed ${target?.port} ${generation}`));
    const session = hf.createReconnectingSocket({ port, host: '127.0.0.1', reconnect: { on: 'any' } });
    session.write('x');
    await once(session, 'resumed');
    session.destroy();
    await once(session, 'close');
    expect(events).to.deep.equal([`suspended ${port} peer-reset`, `resumed ${port} 2`]);
    await close();
  });

  it('is not harmed by a listener that throws', async () => {
    const pair = await connectPair();
    const hf = new Holdfast();
    let later = 0;
    hf.on('died', () => {
      throw new Error('mine');
    });
    hf.on('died', () => later++);
    hf.harden(pair.client);
    const warned = once(process, 'warning') as Promise<Error[]>;
    pair.client.destroy();
    await once(pair.client, 'close');
    expect(later).to.equal(1);
    expect((await warned)[0]?.name).to.equal('HoldfastWarning');
    await pair.close();
  });

  it('keeps two instances apart, and moves a socket to the one that hardened it last', async () => {
    const pair = await connectPair();
    const [one, two] = [new Holdfast(), new Holdfast()];
    const log: string[] = [];
    one.on('died', () => void log.push('one'));
    two.on('died', () => void log.push('two'));
    one.harden(pair.client);
    two.harden(pair.client);
    pair.client.destroy();
    await once(pair.client, 'close');
    expect(log).to.deep.equal(['two']);
    await pair.close();
  });

  it('refuses what is no socket, at once', () => {
    const hf = new Holdfast();
    for (const value of [undefined, null, {}, 'socket', 5]) {
      expect(() => hf.harden(value as Socket))
        .to.throw(HoldfastError)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
      expect(() => hf.readTcpInfo(value as Socket))
        .to.throw(HoldfastError)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
    expect(() => hf.connect(undefined as never))
      .to.throw(HoldfastError)
      .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
  });

  it('reads TCP_INFO of a connected socket and of no other', async () => {
    const hf = new Holdfast();
    expect(hf.readTcpInfo(new Socket())).to.equal(undefined);
    const pair = await connectPair();
    expect(hf.readTcpInfo(pair.client)).to.deep.include({ state: 1 });
    await pair.close();
    expect(hf.readTcpInfo(pair.client)).to.equal(undefined);
  });

  it('connects hardened, and changes neither the options nor what net.connect gets', async () => {
    const { port, close } = await listen();
    const options = Object.freeze({ host: '127.0.0.1', port, keepalive: Object.freeze({ idle: '7s' }) });
    const hf = new Holdfast();
    let connected = 0;
    const socket = hf.connect(options, () => connected++);
    await once(socket, 'connect');
    expect(connected).to.equal(1);
    expect(hf.harden(socket, { keepalive: { idle: '7s' } }).settings?.idle.effective).to.equal(7000);
    socket.destroy();
    await close();
  });
});
