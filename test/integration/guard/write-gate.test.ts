import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls';
import { systemClock } from '../../../src/clock.js';
import { guardSocket } from '../../../src/guard/harden.js';
import type { SocketGuard } from '../../../src/guard/socket-guard.js';
import { kernelFor } from '../../../src/kernel/kernel.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakePath, type Answer } from '../../support/fake-path.js';
import { connectPair, nextTurn, type Pair } from '../../support/pair.js';
import { CERTIFICATE } from '../reconnect/support/certificates.js';

type Log = (entry: string) => void;
interface Scenario {
  readonly name: string;
  readonly allowHalfOpen?: boolean;
  /** Where a held first write must show: later ones queue behind it, as they do behind any write under way. */
  readonly whenHeld?: 'backpressure' | 'destroyed with it';
  /** Ends the socket, so that the run comes to its end. */
  run(socket: Socket, log: Log): void | Promise<void>;
}

const noted = (log: Log, name: string) => (error?: Error | null) =>
  log(`${name} ${error ? String((error as { code?: string }).code) : 'ok'}`);

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'writes in a row',
    run(socket, log) {
      for (const n of [1, 2, 3, 4]) log(`write ${n} ${socket.write(`<${n}>`, noted(log, `callback ${n}`))}`);
      socket.end(noted(log, 'end'));
    },
  },
  {
    name: 'a corked bunch',
    run(socket, log) {
      socket.cork();
      for (const n of [1, 2, 3])
        log(`write ${n} ${socket.write(Buffer.alloc(n, 97), noted(log, `callback ${n}`))}`);
      socket.uncork();
      log(`write ${socket.write('after', noted(log, 'callback'))}`);
      socket.end();
    },
  },
  {
    name: 'strings and buffers corked together',
    run(socket, log) {
      socket.cork();
      socket.write('é', 'latin1', noted(log, 'latin1'));
      socket.write(Buffer.from([1, 2]), noted(log, 'buffer'));
      socket.write('0aff', 'hex', noted(log, 'hex'));
      socket.uncork();
      socket.end();
    },
  },
  {
    name: 'each encoding',
    run(socket, log) {
      for (const encoding of ['utf8', 'latin1', 'utf16le', 'base64', 'hex', 'ascii'] as const) {
        socket.write('abcd', encoding, noted(log, encoding));
      }
      socket.end('€');
    },
  },
  {
    name: 'end with data',
    run(socket, log) {
      socket.end('all of it', noted(log, 'end'));
      log(`ended ${socket.writableEnded} finished ${socket.writableFinished}`);
    },
  },
  {
    name: 'more than the kernel takes, with drain',
    async run(socket, log) {
      const chunk = Buffer.alloc(256 * 1024, 98);
      for (let n = 0; n < 12; n++) {
        if (socket.write(chunk, noted(log, `callback ${n}`))) continue;
        await once(socket, 'drain');
      }
      socket.end();
    },
  },
  {
    name: 'a queue past the high-water mark',
    whenHeld: 'backpressure',
    run(socket, log) {
      for (let n = 0; n < 40; n++) {
        const more = socket.write(
          Buffer.alloc(3000, n),
          n % 10 === 0 ? noted(log, `callback ${n}`) : undefined,
        );
        if (n === 0 || n === 39) log(`write ${n} ${more}`);
      }
      socket.end();
    },
  },
  {
    name: 'destroySoon',
    run(socket, log) {
      socket.write('kept', noted(log, 'callback'));
      socket.destroySoon();
    },
  },
  {
    name: 'a write after end',
    whenHeld: 'destroyed with it',
    run(socket, log) {
      socket.end('last', noted(log, 'end'));
      socket.write('too late', noted(log, 'late'));
    },
  },
  {
    name: 'an empty write',
    run(socket, log) {
      log(`write ${socket.write('', noted(log, 'empty'))}`);
      socket.write(Buffer.alloc(0), noted(log, 'empty buffer'));
      socket.end('x');
    },
  },
  {
    name: 'a pipeline',
    run: (socket, log) =>
      pipeline(Readable.from(['one', 'two', 'three']), socket, { end: true }).then(() => log('piped')),
  },
  {
    name: 'half-open, reading on after end',
    allowHalfOpen: true,
    run(socket, log) {
      socket.on('data', chunk => log(`data ${String(chunk)}`));
      socket.end('question', noted(log, 'end'));
    },
  },
];

interface Run {
  readonly events: readonly string[];
  readonly received: string;
}

async function run(scenario: Scenario, secure: boolean, prepare: (socket: Socket) => void): Promise<Run> {
  const received: Buffer[] = [];
  const onPeer = (peer: Socket): void => {
    peer.on('error', () => undefined);
    peer.on('data', (chunk: Buffer) => received.push(chunk));
    peer.on('end', () => peer.end(scenario.allowHalfOpen === true ? 'answer' : ''));
  };
  const server = secure
    ? createTlsServer({ ...CERTIFICATE, allowHalfOpen: true }, onPeer)
    : createServer({ allowHalfOpen: true }, onPeer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = { port, host: '127.0.0.1', allowHalfOpen: scenario.allowHalfOpen ?? false };
  const socket = secure ? tlsConnect({ ...options, rejectUnauthorized: false }) : connect(options);
  await once(socket, secure ? 'secureConnect' : 'connect');
  const events: string[] = [];
  const log: Log = entry => void events.push(entry);
  for (const event of ['drain', 'finish', 'end'] as const) {
    // How often the kernel was full is the kernel's affair.
    if (event !== 'drain' || !scenario.name.startsWith('more')) socket.on(event, () => log(event));
  }
  socket.on('error', (error: Error & { code?: string }) => log(`error ${error.code ?? error.message}`));
  const closed = new Promise<void>(resolve =>
    socket.on('close', hadError => {
      log(`close ${hadError}`);
      resolve();
    }),
  );
  prepare(socket);
  socket.resume();
  await scenario.run(socket, log);
  await closed;
  log(`bytesWritten ${socket.bytesWritten}`);
  server.close();
  await once(server, 'close');
  return { events, received: Buffer.concat(received).toString('hex') };
}

const hooks = {};
const options = resolveOptions({ probeAfterIdle: '10s', probeTimeout: '300ms' });

/** Every sign says the socket was silent for a minute, so its first write is held until a made-up answer is there. */
function gated(socket: Socket, probed: { count: number }): SocketGuard {
  const path = new FakePath(systemClock, 60_000);
  const counting = {
    probed: () => {
      probed.count++;
    },
  };
  return guardSocket(socket, options, { clock: systemClock, kernel: path.kernel, hooks: counting });
}

describe('the write gate, against a bare socket', () => {
  for (const secure of [false, true]) {
    for (const scenario of SCENARIOS) {
      const over = secure ? 'TLS' : 'TCP';
      // The server's end of a TLS connection given up before its handshake is over may linger: that is Node's affair.
      if (secure && scenario.whenHeld === 'destroyed with it') continue;
      it(`shows and sends the same where it lets pass: ${scenario.name} over ${over}`, async () => {
        const context = { clock: systemClock, kernel: kernelFor('auto'), hooks };
        const bare = await run(scenario, secure, () => undefined);
        expect(await run(scenario, secure, socket => guardSocket(socket, options, context))).to.deep.equal(
          bare,
        );
      });

      if (scenario.whenHeld !== undefined) continue;
      it(`shows and sends the same where it asks first: ${scenario.name} over ${over}`, async () => {
        const bare = await run(scenario, secure, () => undefined);
        const probed = { count: 0 };
        expect(await run(scenario, secure, socket => gated(socket, probed))).to.deep.equal(bare);
        expect(probed.count).to.equal(1);
      });
    }
  }

  it('queues writes behind the held one with honest backpressure: false, then drain, all sent in order', async () => {
    const scenario = SCENARIOS.find(({ whenHeld }) => whenHeld === 'backpressure') as Scenario;
    const bare = await run(scenario, false, () => undefined);
    const asked = await run(scenario, false, socket => gated(socket, { count: 0 }));
    expect(asked.received).to.equal(bare.received);
    expect(asked.events).to.include.members(['write 0 true', 'write 39 false', 'callback 30 ok', 'finish']);
  });

  it('leaves writes before the connection in their order', async () => {
    let received = '';
    const pair = await connectPair({}, client => {
      guardSocket(client, options, { clock: systemClock, kernel: kernelFor('auto'), hooks });
      client.write('one ');
      client.write('two ');
    });
    pair.peer.on('data', chunk => (received += String(chunk)));
    pair.client.end('three');
    await once(pair.peer, 'end');
    expect(received).to.equal('one two three');
    await pair.close();
  });

  it('reads through onread as before', async () => {
    const got: string[] = [];
    const buffer = Buffer.alloc(64);
    const onread = { buffer, callback: (n: number) => got.push(buffer.toString('latin1', 0, n)) > 0 };
    const pair = await connectPair({ onread });
    const guard = guardSocket(pair.client, options, { clock: systemClock, kernel: kernelFor('auto'), hooks });
    pair.peer.end('read this');
    await once(pair.client, 'end');
    expect(got.join('')).to.equal('read this');
    if (!pair.client.destroyed) await once(pair.client, 'close');
    expect(guard.verdict?.cause).to.equal('peer-closed');
    await pair.close();
  });
});

interface Held extends Pair {
  readonly clock: FakeClock;
  readonly path: FakePath;
  readonly guard: SocketGuard;
  readonly received: () => string;
  readonly errors: Error[];
}

/** A real connection whose kernel and clock are made up: silent for a minute, and `answer` decides what a probe finds. */
async function held(answer: Answer): Promise<Held> {
  const pair = await connectPair();
  const clock = new FakeClock();
  const path = new FakePath(clock, 60_000);
  path.answer = () => answer;
  let received = '';
  const errors: Error[] = [];
  pair.peer.on('data', chunk => (received += String(chunk)));
  pair.client.on('error', error => errors.push(error));
  const guard = guardSocket(pair.client, options, { clock, kernel: path.kernel, hooks });
  return { ...pair, clock, path, guard, received: () => received, errors };
}

/** Unlike events.once this does not reject on 'error'. */
function closed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise(resolve => socket.once('close', () => resolve()));
}

type CodedError = (Error & { code?: string }) | null | undefined;

describe('the write gate', () => {
  it('sends nothing while it asks', async () => {
    const pair = await held('acknowledges');
    pair.client.write('question');
    await nextTurn();
    await nextTurn();
    expect(pair.received()).to.equal('');
    pair.clock.advance(50);
    await once(pair.peer, 'data');
    expect(pair.received()).to.equal('question');
    await pair.close();
  });

  for (const [answer, code, cause] of [
    ['is lost', 'ETIMEDOUT', 'path-timeout'],
    ['resets', 'ECONNRESET', 'nat-eviction'],
  ] as const) {
    it(`fails a write whose probe ${answer} with ${code}, ${cause}, never-sent, and sends nothing`, async () => {
      const pair = await held(answer);
      const results: CodedError[] = [];
      for (const text of ['one', 'two', 'three']) pair.client.write(text, error => results.push(error));
      pair.client.end();
      const peerClosed = once(pair.peer, 'close');
      pair.clock.advance(400);
      await Promise.all([closed(pair.client), peerClosed]);
      expect(pair.received()).to.equal('');
      expect(results.map(error => error?.code)).to.deep.equal([code, code, code]);
      expect(pair.errors).to.have.lengthOf(1);
      expect(pair.errors[0]).to.deep.include({ code, address: '127.0.0.1' });
      expect(pair.guard.verdict).to.deep.include({ cause, code, delivery: 'never-sent' });
      expect(pair.guard.verdict?.bytes.queued).to.equal(11);
      await pair.close();
    });
  }

  it('calls the callback of a held write once, with an error, when the socket is destroyed', async () => {
    for (const error of [undefined, new Error('mine')]) {
      const pair = await held('is lost');
      const results: CodedError[] = [];
      pair.client.write('one', result => results.push(result));
      pair.client.write('two', result => results.push(result));
      pair.client.destroy(error);
      await closed(pair.client);
      pair.clock.advance(5000);
      await nextTurn();
      expect(results).to.have.lengthOf(2);
      for (const result of results) expect(result).to.be.instanceOf(Error);
      if (error === undefined) expect(results[0]?.code).to.equal('ERR_HOLDFAST_CLOSED');
      else expect(results).to.deep.equal([error, error]);
      expect(pair.guard.verdict).to.deep.include({ cause: 'local-close', delivery: 'never-sent' });
      expect(pair.received()).to.equal('');
      await pair.close();
    }
  });

  it('lets a held write go when it is released, and asks no more', async () => {
    const pair = await held('is lost');
    pair.client.write('question');
    pair.guard.release();
    expect(pair.path.read()).to.deep.include({ keepalive: false, idle: 7_200_000, count: 9 });
    await once(pair.peer, 'data');
    expect(pair.received()).to.equal('question');
    pair.clock.advance(5000);
    expect(pair.client.destroyed).to.equal(false);
    await pair.close();
  });

  it('does not ask where the peer was heard, data is in flight, or it is turned off', async () => {
    for (const prepare of [
      (pair: Held) => (pair.path.heardAt = pair.clock.now() - 9000),
      (pair: Held) => (pair.path.fields = { unacked: 1, bytesSent: 5 }),
      (pair: Held) => (pair.path.fields = { notsent: 1 }),
      (pair: Held) => {
        const off = { ...options, probeAfterIdle: false } as const;
        pair.guard.configure(off);
      },
    ]) {
      const pair = await held('is lost');
      prepare(pair);
      pair.client.write('at once');
      await once(pair.peer, 'data');
      expect(pair.path.settings.idle).to.equal(30_000);
      await pair.close();
    }
  });

  it('asks on an accepted socket too, whose byte counts have no SYN', async () => {
    const pair = await connectPair();
    pair.peer.write('welcome');
    await once(pair.client, 'data');
    const clock = new FakeClock();
    const path = new FakePath(clock, 60_000);
    path.fields = { bytesSent: 7, bytesAcked: 7 };
    const guard = guardSocket(pair.peer, options, { clock, kernel: path.kernel, hooks });
    expect(guard.countsSyn).to.equal(false);
    pair.peer.write('held');
    expect(path.settings.idle).to.equal(1000);
    clock.advance(50);
    expect(String((await once(pair.client, 'data'))[0])).to.equal('held');
    await pair.close();
  });

  it('goes by the kernel’s silence, not by how long the guard has been there or when it was last configured', async () => {
    const pair = await held('acknowledges');
    pair.client.write('one');
    pair.clock.advance(50);
    await once(pair.peer, 'data');
    pair.path.heardAt = pair.clock.now();
    pair.clock.advance(20_000);
    guardSocket(
      pair.client,
      resolveOptions({ probeAfterIdle: '10s', keepalive: { idle: '20s' } }),
      pair.guard.context,
    );
    expect(pair.path.settings.idle).to.equal(20_000);
    pair.client.write('two');
    expect(pair.path.settings.idle).to.equal(1000);
    pair.clock.advance(50);
    await pair.close();
  });

  it('uses the reset that libuv reports first', async () => {
    const pair = await held('resets');
    pair.client.write('question');
    pair.path.fields = { state: 7 };
    pair.peer.resetAndDestroy();
    const [error] = (await once(pair.client, 'error')) as [CodedError];
    expect(error?.code).to.equal('ECONNRESET');
    expect(pair.guard.verdict).to.deep.include({ cause: 'nat-eviction', delivery: 'never-sent' });
    expect(pair.guard.verdict?.evidence.map(({ fact }) => fact)).to.include('answered-probe-with-reset');
    pair.clock.advance(5000);
    expect(pair.errors).to.have.lengthOf(1);
    await pair.close();
  });

  it('sees the reset of a socket whose reader is paused', async () => {
    const pair = await connectPair();
    const guard = guardSocket(pair.client, options, { clock: systemClock, kernel: kernelFor('auto'), hooks });
    pair.client.pause();
    (pair.client as unknown as { _handle: { readStop(): void } })._handle.readStop();
    pair.peer.resetAndDestroy();
    await once(pair.peer, 'close');
    const results: CodedError[] = [];
    pair.client.write('question', error => results.push(error));
    await closed(pair.client);
    expect(results.map(error => error?.code)).to.deep.equal(['ECONNRESET']);
    expect(guard.verdict).to.deep.include({ cause: 'peer-reset', delivery: 'never-sent' });
    await pair.close();
  });

  it('does not hold the process open for a socket that is idle, and does for a write that waits', async () => {
    const pair = await held('is lost');
    pair.client.write('question');
    expect(pair.clock.pending.filter(timer => timer.in <= 25).map(({ hold }) => hold)).to.deep.equal([true]);
    await pair.close();
  });
});
