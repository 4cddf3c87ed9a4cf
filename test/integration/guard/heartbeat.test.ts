import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Holdfast, type HeartbeatOptions, type Holdfast as Instance } from '../../../src/index.js';
import { connectPair, listen } from '../../support/pair.js';
import { CERTIFICATE } from '../reconnect/support/certificates.js';

/** Answers PING by PONG and everything else by itself. */
function pong(peer: Socket): void {
  peer.on('error', () => undefined);
  peer.on('data', chunk => peer.write(String(chunk).replaceAll('PING', 'PONG')));
}

function receive(chunk: Buffer): 'consumed' | Buffer | undefined {
  const text = chunk.toString();
  if (!text.includes('PONG')) return undefined;
  const rest = text.replace('PONG', '');
  return rest === '' ? 'consumed' : Buffer.from(rest);
}

const heartbeat = (changes: Partial<HeartbeatOptions> = {}): { heartbeat: HeartbeatOptions } => ({
  heartbeat: { interval: 30, timeout: 5000, send: () => 'PING', receive, ...changes },
});

async function beats(instance: Instance, count: number): Promise<void> {
  await new Promise<void>(resolve => {
    let seen = 0;
    instance.on('heartbeat', () => {
      if (++seen === count) resolve();
    });
  });
}

describe('the heartbeat', () => {
  it('is answered over TCP and the reader sees no reply, by events or by iteration', async () => {
    const { port, close } = await listen(pong);
    const hf = new Holdfast(heartbeat());
    const socket = hf.connect({ port, host: '127.0.0.1' });
    let seen = '';
    socket.on('data', chunk => (seen += String(chunk)));
    await beats(hf, 3);
    socket.write('data');
    while (seen !== 'data') await once(socket, 'data');
    socket.destroy();

    const other = hf.connect({ port, host: '127.0.0.1' });
    other.write('more');
    const iterator = other[Symbol.asyncIterator]();
    expect(String((await iterator.next()).value)).to.equal('more');
    const next = iterator.next();
    await beats(hf, 3);
    other.write('last');
    expect(String((await next).value)).to.equal('last');
    other.destroy();
    await close();
  });

  it('waits for the TLS handshake, then beats through it', async () => {
    let secured = false;
    const server = createTlsServer(CERTIFICATE, peer => {
      secured = true;
      pong(peer);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const hf = new Holdfast(heartbeat({ interval: 1 }));
    const sentBefore: boolean[] = [];
    const { port } = server.address() as AddressInfo;
    const socket = hf.connect({
      port,
      host: '127.0.0.1',
      tls: { rejectUnauthorized: false },
      ...heartbeat({
        interval: 1,
        send: () => {
          sentBefore.push((socket as unknown as { secureConnecting: boolean }).secureConnecting);
          return 'PING';
        },
      }),
    });
    let seen = '';
    socket.on('data', chunk => (seen += String(chunk)));
    await beats(hf, 3);
    expect(secured).to.equal(true);
    expect(sentBefore).to.not.include(true);
    expect(seen).to.equal('');
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('that is not answered ends the socket: path-timeout', async () => {
    const pair = await connectPair();
    const guard = new Holdfast(heartbeat({ timeout: 50 })).harden(pair.client);
    pair.client.resume();
    const error = await new Promise<Error>(resolve => pair.client.once('error', resolve));
    expect(error).to.have.property('code', 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT');
    expect(guard.verdict).to.deep.include({ cause: 'path-timeout' });
    await pair.close();
  });

  it('is not taken for unanswered while the reader takes nothing, however full the window', async () => {
    const size = 8 * 1024 * 1024;
    const { port, close } = await listen(peer => {
      pong(peer);
      peer.write(Buffer.alloc(size, 'x'));
    });
    const hf = new Holdfast(heartbeat({ interval: 20, timeout: 40 }));
    const socket = hf.connect({ port, host: '127.0.0.1' });
    socket.pause();
    await once(socket, 'connect');
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(socket.destroyed).to.equal(false);
    let seen = 0;
    socket.on('data', chunk => (seen += chunk.length));
    socket.resume();
    while (seen < size) await once(socket, 'data');
    await beats(hf, 1);
    expect(seen).to.equal(size);
    socket.destroy();
    await close();
  });

  it('does not write after end()', async () => {
    const { port, close } = await listen(undefined, '127.0.0.1', { allowHalfOpen: true });
    const hf = new Holdfast(heartbeat({ interval: 5 }));
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    hf.harden(socket);
    let error: Error | undefined;
    socket.on('error', seen => (error = seen));
    await once(socket, 'connect');
    socket.end();
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(error).to.equal(undefined);
    socket.destroy();
    await close();
  });

  it('whose hook throws ends the socket with what was thrown', async () => {
    const thrown = new Error('mine');
    for (const changes of [
      {
        send: (): never => {
          throw thrown;
        },
      },
      {
        receive: (): never => {
          throw thrown;
        },
      },
    ]) {
      const { port, close } = await listen(pong);
      const socket = new Holdfast(heartbeat(changes)).connect({ port, host: '127.0.0.1' });
      socket.resume();
      expect(await new Promise(resolve => socket.once('error', resolve))).to.equal(thrown);
      await close();
    }
  });
});
