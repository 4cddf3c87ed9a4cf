import { expect } from 'chai';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { Holdfast } from '../../../src/index.js';
import { readKernel } from '../../support/kernel-reader.js';
import { connectPair } from '../../support/pair.js';

const hf = new Holdfast();

async function rejection(promise: Promise<unknown>): Promise<{ code?: string; message?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code?: string };
  }
  throw new Error('it did not reject');
}

describe('probe', () => {
  for (const kind of ['hardened', 'bare'] as const) {
    it(`finds a living ${kind} socket alive, sends no byte, and restores the kernel’s values`, async () => {
      const pair = await connectPair();
      let received = 0;
      pair.peer.on('data', chunk => (received += chunk.length));
      if (kind === 'hardened') hf.harden(pair.client);
      const before = readKernel(pair.client);
      const names = pair.client.eventNames().map(name => pair.client.listenerCount(name));
      const result = await hf.probe(pair.client);
      expect(result).to.have.all.keys('alive', 'rtt');
      expect(result.alive).to.equal(true);
      expect(result.rtt).to.be.a('number').and.within(0, 1000);
      expect(readKernel(pair.client)).to.deep.equal(before);
      expect(pair.client.eventNames().map(name => pair.client.listenerCount(name))).to.deep.equal(names);
      expect(received).to.equal(0);
      expect(readKernel(pair.client)).to.deep.equal(before);
      await pair.close();
    });
  }

  it('joins concurrent probes of one socket, hardened or not, and restores the values once', async () => {
    const pair = await connectPair();
    const before = readKernel(pair.client);
    const bare = Promise.all([hf.probe(pair.client), hf.probe(pair.client)]);
    expect((await bare).map(({ alive }) => alive)).to.deep.equal([true, true]);
    expect(readKernel(pair.client)).to.deep.equal(before);
    await pair.close();
  });

  it('answers at once on a busy socket', async () => {
    const pair = await connectPair();
    hf.harden(pair.client);
    pair.peer.pipe(pair.peer);
    pair.client.resume();
    const timer = setInterval(() => pair.client.write('x'), 5);
    const { alive } = await hf.probe(pair.client);
    clearInterval(timer);
    expect(alive).to.equal(true);
    await pair.close();
  });

  it('goes on when the socket is released meanwhile', async () => {
    const pair = await connectPair();
    const before = readKernel(pair.client);
    const guard = hf.harden(pair.client);
    const answer = guard.probe();
    guard.release();
    expect((await answer).alive).to.equal(true);
    expect(readKernel(pair.client)).to.deep.equal(before);
    await pair.close();
  });

  it('says what a socket died of that was reset or closed meanwhile', async () => {
    for (const harden of [true, false]) {
      const reset = await connectPair();
      if (harden) hf.harden(reset.client);
      const answer = hf.probe(reset.client);
      reset.peer.resetAndDestroy();
      expect((await answer).verdict?.cause).to.equal('peer-reset');
      await reset.close();

      const closed = await connectPair();
      if (harden) hf.harden(closed.client);
      const second = hf.probe(closed.client);
      closed.client.destroy(new Error('mine'));
      expect(await second).to.deep.include({ alive: false });
      expect((await second).verdict?.cause).to.equal('local-close');
      await closed.close();
    }
  });

  it('says what a dead hardened socket died of', async () => {
    const pair = await connectPair();
    const guard = hf.harden(pair.client);
    pair.peer.resetAndDestroy();
    await new Promise(resolve => pair.client.once('close', resolve));
    const result = await hf.probe(pair.client);
    expect(result).to.deep.equal({ alive: false, rtt: undefined, verdict: guard.verdict });
    await pair.close();
  });

  it('refuses what is not connected, and a wrong timeout', async () => {
    expect((await rejection(hf.probe(new Socket()))).code).to.equal('ERR_HOLDFAST_ARGUMENT');
    expect((await rejection(hf.probe('socket' as unknown as Socket))).code).to.equal('ERR_HOLDFAST_ARGUMENT');
    const pair = await connectPair();
    for (const timeout of [0, -1, NaN, '5 years', null as unknown as number]) {
      expect((await rejection(hf.probe(pair.client, { timeout }))).code).to.equal('ERR_HOLDFAST_ARGUMENT');
    }
    pair.client.destroy();
    await once(pair.client, 'close');
    expect((await rejection(hf.probe(pair.client))).code).to.equal('ERR_HOLDFAST_ARGUMENT');
    await pair.close();
  });

  it('says that it is unsupported without a binding that reads', async () => {
    const pair = await connectPair();
    const node = new Holdfast({ backend: 'node' });
    expect((await rejection(node.probe(pair.client))).code).to.equal('ERR_HOLDFAST_UNSUPPORTED');
    node.harden(pair.client);
    expect((await rejection(node.probe(pair.client))).code).to.equal('ERR_HOLDFAST_UNSUPPORTED');
    await pair.close();
  });
});
