import { expect } from 'chai';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import { Holdfast } from '../../../src/holdfast.js';
import { runChild, SRC } from '../../support/child.js';
import { readKernel } from '../../support/kernel-reader.js';
import { listen } from '../../support/pair.js';

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20));
};

describe('sweeping real sockets', () => {
  it('probes them, tells on the channel, and sends no byte', async () => {
    const received: string[] = [];
    const { port, close } = await listen(peer => peer.on('data', chunk => received.push(String(chunk))));
    const holdfast = new Holdfast();
    const sockets = await Promise.all(
      [1, 2, 3].map(async () => {
        const socket = holdfast.connect({ port, host: '127.0.0.1' });
        await once(socket, 'connect');
        return socket;
      }),
    );
    const events: object[] = [];
    holdfast.on('swept', event => events.push(event));
    await until(() => sockets.every(socket => (holdfast.readTcpInfo(socket)?.lastAckRecv ?? 0) > 1000));
    expect(await holdfast.sweep({ host: '127.0.0.1', port })).to.deep.equal({ probed: 3, alive: 3, dead: 0 });
    expect(events).to.have.length(1);
    expect(events[0]).to.include({ reason: 'request', alive: 3 });
    expect(received).to.deep.equal([]);
    // Settings are as they were.
    expect(sockets.map(socket => readKernel(socket).idle)).to.deep.equal([30, 30, 30]);
    for (const socket of sockets) socket.destroy();
    expect(await holdfast.sweep()).to.deep.equal({ probed: 0, alive: 0, dead: 0 });
    await close();
  });

  it('forgets a socket that was released, and knows it again once it is hardened again', async () => {
    const { port, close } = await listen();
    const holdfast = new Holdfast();
    const socket = holdfast.connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    await until(() => (holdfast.readTcpInfo(socket)?.lastAckRecv ?? 0) > 1000);
    holdfast.harden(socket).release();
    expect(await holdfast.sweep()).to.include({ probed: 0 });
    holdfast.harden(socket);
    expect(await holdfast.sweep()).to.include({ probed: 1, alive: 1 });
    socket.destroy();
    await close();
  });

  it('a lesson reaches live sockets, later ones and those that are hardened anew; what is configured lower stays', async () => {
    const { port, close } = await listen();
    const holdfast = new Holdfast({ keepalive: { idle: '40s' } });
    const open = async (idle?: string): Promise<Socket> => {
      const options = { port, host: '127.0.0.1', ...(idle === undefined ? {} : { keepalive: { idle } }) };
      const socket = holdfast.connect(options);
      await once(socket, 'connect');
      return socket;
    };
    const [live, low] = [await open(), await open('5s')];
    const lesson = { host: '127.0.0.1', port, survived: 0, forgotten: 20_000, weight: 1, contradictions: 0 };
    holdfast.lessons.import({ version: 1, lessons: [{ ...lesson, at: Date.now() }] });
    const later = await open();
    holdfast.harden(live, { keepalive: { idle: '50s' } });
    const all = [live, low, later];
    expect(all.map(socket => readKernel(socket).idle)).to.deep.equal([10, 5, 10]);
    holdfast.lessons.forget();
    expect(all.map(socket => readKernel(socket).idle)).to.deep.equal([50, 5, 40]);
    for (const socket of all) socket.destroy();
    await close();
  });

  it('refuses a target that names no port', async () => {
    const error = await new Holdfast().sweep('db.internal').catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'ERR_HOLDFAST_ARGUMENT');
    expect(verdictOf(error)).to.equal(undefined);
  });

  it('keeps neither a process open nor a socket that lost its descriptor in memory', async () => {
    const { code, stdout, stderr } = await runChild(
      `
      import net from 'node:net';
      import { once } from 'node:events';
      import { Holdfast } from '${SRC}holdfast.js';
      const server = net.createServer(peer => peer.unref()).listen(0, '127.0.0.1').unref();
      await once(server, 'listening');
      const holdfast = new Holdfast();
      let gone = 0;
      const registry = new FinalizationRegistry(() => gone++);
      await (async () => {
        for (let i = 0; i < 50; i++) {
          const socket = holdfast.connect({ port: server.address().port, host: '127.0.0.1' });
          await once(socket, 'connect');
          registry.register(socket);
          // What child_process does with a socket it has sent away.
          socket._handle.close();
          socket._handle = null;
        }
      })();
      for (let i = 0; i < 50 && gone < 50; i++) {
        await new Promise(resolve => setTimeout(resolve, 5));
        gc();
      }
      const idle = holdfast.connect({ port: server.address().port, host: '127.0.0.1' });
      await once(idle, 'connect');
      idle.unref();
      console.log(gone);
    `,
      { nodeOptions: ['--expose-gc'] },
    );
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(Number(stdout)).to.be.at.least(45);
  });
});
