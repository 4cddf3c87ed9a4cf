import { expect } from 'chai';
import { once } from 'node:events';
import { connect as netConnect, type Socket } from 'node:net';
import { Holdfast, verdictOf, type HoldfastOptions, type Verdict } from '../../../src/index.js';
import { runChild, SRC } from '../../support/child.js';
import { connectPair, listen, nextTurn, type Pair } from '../../support/pair.js';

function closed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise(resolve => socket.once('close', () => resolve()));
}

/** A hardened loopback pair; `end` ends it; what the guard then says. */
async function verdictAfter(
  end: (pair: Pair) => void | Promise<void>,
  options: HoldfastOptions = {},
): Promise<Verdict> {
  const pair = await connectPair();
  const guard = new Holdfast(options).harden(pair.client);
  pair.client.resume();
  await end(pair);
  await closed(pair.client);
  await pair.close();
  if (guard.verdict === undefined) throw new Error('a closed socket has no verdict');
  return guard.verdict;
}

describe('the verdict', () => {
  it('of a peer’s FIN is peer-closed', async () => {
    const verdict = await verdictAfter(({ peer }) => void peer.end('bye'));
    expect(verdict).to.deep.include({ cause: 'peer-closed', code: undefined, delivery: 'all-acknowledged' });
    expect(verdict.bytes.received).to.equal(4);
  });

  it('of a socket that ended first is local-close, with no error, however the peer agreed', async () => {
    for (const step of [
      ({ client }: Pair) => void client.end(),
      ({ client }: Pair) => void client.end('last words'),
      async ({ client, peer }: Pair) => {
        client.end('x');
        await once(peer, 'end');
        peer.end('y');
      },
    ]) {
      let hadError: boolean | undefined;
      const verdict = await verdictAfter(pair => {
        pair.peer.resume();
        pair.client.once('close', error => (hadError = error));
        return step(pair);
      });
      expect(verdict).to.deep.include({ cause: 'local-close', delivery: 'all-acknowledged' });
      expect(hadError).to.equal(false);
    }
  });

  it('counts payload bytes only: no SYN, no FIN', async () => {
    const verdict = await verdictAfter(({ client, peer }) => {
      peer.resume();
      client.end('12345');
    });
    expect(verdict.bytes).to.deep.include({
      sent: 5,
      acknowledged: 5,
      unacknowledged: 0,
      unsent: 0,
      queued: 0,
    });
  });

  it('of destroy() is local-close', async () => {
    expect(await verdictAfter(({ client }) => void client.destroy())).to.deep.include({
      cause: 'local-close',
    });
  });

  it('of destroy(error) is local-close, and the error gets it unless it has one of its own', async () => {
    const mine = new Error('mine');
    const verdict = await verdictAfter(({ client }) => void client.destroy(mine));
    expect(verdict.cause).to.equal('local-close');
    expect(verdictOf(mine)).to.equal(verdict);
    const second = await verdictAfter(({ client }) => void client.destroy(mine));
    expect(second).to.not.equal(verdict);
    expect(verdictOf(mine)).to.equal(verdict);
  });

  it('of an error that only looks like the network’s is local-close while the connection stands', async () => {
    const fake = Object.assign(new Error('my own timeout'), { code: 'ETIMEDOUT' });
    expect((await verdictAfter(({ client }) => void client.destroy(fake))).cause).to.equal('local-close');
    const reset = Object.assign(new Error('looks like one'), { code: 'ECONNRESET' });
    expect((await verdictAfter(({ client }) => void client.destroy(reset))).cause).to.equal('local-close');
  });

  it('of a reset in mid-traffic is peer-reset, and the error carries it', async () => {
    let error: unknown;
    const verdict = await verdictAfter(async ({ client, peer }) => {
      client.on('error', seen => (error = seen));
      client.write('question');
      await once(peer, 'data');
      peer.resetAndDestroy();
    });
    expect(verdict).to.deep.include({
      cause: 'peer-reset',
      code: 'ECONNRESET',
      delivery: 'all-acknowledged',
    });
    expect(verdict.tcpInfo?.state).to.equal(7);
    expect(verdictOf(error)).to.equal(verdict);
    expect(verdictOf(new Error('query failed', { cause: error }))).to.equal(verdict);
  });

  it('of a socket destroyed after a reset nobody had noticed is not local-close', async () => {
    const verdict = await verdictAfter(async ({ client, peer }) => {
      client.pause();
      (client as unknown as { _handle: { readStop(): void } })._handle.readStop();
      peer.resetAndDestroy();
      await closed(peer);
      client.destroy();
    });
    expect(verdict).to.deep.include({ cause: 'peer-reset', code: undefined });
  });

  it('says uncertain when data was in flight at the reset', async () => {
    const verdict = await verdictAfter(async ({ client, peer }) => {
      peer.pause();
      (peer as unknown as { _handle: { readStop(): void } })._handle.readStop();
      // More than both kernels' buffers: some is sent, some is not, and the peer resets with the window closed.
      client.write(Buffer.alloc(64 * 1024 * 1024));
      const guard = new Holdfast();
      while ((guard.readTcpInfo(client)?.bytesSent ?? 0) === 0) await nextTurn();
      peer.resetAndDestroy();
    });
    expect(verdict.cause).to.equal('peer-reset');
    expect(verdict.bytes.queued).to.be.above(0);
    expect(verdict.delivery).to.equal((verdict.bytes.unacknowledged ?? 0) > 0 ? 'uncertain' : 'never-sent');
  });

  it('of an accepted socket that answered and was reset is not uncertain', async () => {
    const pair = await connectPair();
    const guard = new Holdfast().harden(pair.peer);
    pair.peer.write('answer');
    await once(pair.client, 'data');
    pair.client.resetAndDestroy();
    await closed(pair.peer);
    expect(guard.verdict).to.deep.include({ cause: 'peer-reset', delivery: 'all-acknowledged' });
    expect(guard.verdict?.bytes).to.deep.include({ sent: 6, acknowledged: 6, unacknowledged: 0 });
    await pair.close();
  });

  it('of a connection nobody accepts is refused, never-sent', async () => {
    const { port, close } = await listen();
    await close();
    const socket = netConnect(port, '127.0.0.1');
    const guard = new Holdfast().harden(socket);
    socket.write('never');
    const [error] = (await once(socket, 'error')) as [Error];
    expect(guard.verdict).to.deep.include({ cause: 'refused', code: 'ECONNREFUSED', delivery: 'never-sent' });
    expect(guard.verdict?.target).to.deep.include({ address: '127.0.0.1', port });
    expect(verdictOf(error)).to.equal(guard.verdict);
  });

  it('of a name that does not resolve is unreachable', async () => {
    const lookup = (host: string, _options: unknown, done: (error: Error) => void): void =>
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host }));
    const socket = netConnect({ host: 'db.invalid', port: 5432, lookup: lookup as never });
    const guard = new Holdfast().harden(socket);
    await once(socket, 'error');
    expect(guard.verdict).to.deep.include({
      cause: 'unreachable',
      code: 'ENOTFOUND',
      delivery: 'never-sent',
    });
    expect(guard.verdict?.target?.host).to.equal('db.invalid');
  });

  it('of happy eyeballs that found nobody is refused', async () => {
    const { port, close } = await listen();
    await close();
    const socket = netConnect({ host: 'localhost', port, autoSelectFamily: true });
    const guard = new Holdfast().harden(socket);
    await once(socket, 'error');
    expect(guard.verdict?.cause).to.equal('refused');
  });

  it('of a living peer that does not read is peer-stalled', async () => {
    const verdict = await verdictAfter(
      async ({ client, peer }) => {
        peer.pause();
        (peer as unknown as { _handle: { readStop(): void } })._handle.readStop();
        client.write(Buffer.alloc(32 * 1024 * 1024));
        const error = await new Promise<Error>(resolve => client.once('error', resolve));
        expect(error).to.have.property('code', 'ETIMEDOUT');
      },
      { userTimeout: '2s' },
    );
    expect(verdict.cause).to.equal('peer-stalled');
    expect(verdict.bytes.queued).to.be.above(0);
  });
});

describe('a reset that Node reports as an end', () => {
  /** The peer resets while the client's loop is busy: on Node 20 and 22 that arrives as a clean end. */
  const script = (reader: string, hardened: boolean): string => `
    import net from 'node:net';
    import { Worker } from 'node:worker_threads';
    import { Holdfast } from '${SRC}index.js';
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const server = new Worker(\`
      const net = require('node:net');
      const { parentPort, workerData } = require('node:worker_threads');
      const server = net.createServer(peer => peer.on('error', () => {}).once('data', () => {
        peer.write('some data');
        setTimeout(() => { peer.resetAndDestroy(); Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0); }, 30);
      })).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
    \`, { eval: true, execArgv: [], workerData: shared });
    const port = await new Promise(resolve => server.once('message', resolve));
    const socket = net.connect(port, '127.0.0.1');
    const log = [];
    const guard = ${hardened ? 'new Holdfast().harden(socket)' : 'undefined'};
    const done = new Promise(resolve => socket.on('close', () => resolve()));
    ${reader}
    socket.on('connect', () => {
      socket.write('go');
      setImmediate(() => {
        Atomics.wait(shared, 0, 0); // the peer has reset
        Atomics.wait(shared, 1, 0, 60); // and the packet has had its time
      });
    });
    await done;
    await new Promise(resolve => setTimeout(resolve, 10));
    console.log(JSON.stringify({ log, cause: guard?.verdict?.cause }));
    process.exit(0);
  `;
  const listening = `
    socket.on('data', chunk => log.push('data ' + chunk));
    socket.on('end', () => log.push('end'));
    socket.on('error', error => log.push('error ' + error.code));
  `;
  const iterating = `
    (async () => {
      try {
        for await (const chunk of socket) log.push('data ' + chunk);
        log.push('end');
      } catch (error) { log.push('error ' + error.code); }
    })();
  `;

  for (const [how, reader] of [
    ['listeners', listening],
    ['async iteration', iterating],
  ] as const) {
    it(`is ECONNRESET for a reader by ${how}, and never an end`, async () => {
      const { stdout, stderr, code } = await runChild(script(reader, true));
      expect(code, stderr).to.equal(0);
      const { log, cause } = JSON.parse(stdout) as { log: string[]; cause: string };
      expect(log.at(-1)).to.equal('error ECONNRESET');
      expect(log).to.not.include('end');
      expect(cause).to.equal('peer-reset');
    });
  }

  // Later versions report the reset themselves, so there is nothing to prove the test against.
  if (Number(process.versions.node.split('.')[0]) <= 22) {
    it('is an end on a bare socket of Node 20 and 22: the test’s own proof', async () => {
      const { stdout } = await runChild(script(listening, false));
      expect((JSON.parse(stdout) as { log: string[] }).log).to.include('end');
    });
  }
});
