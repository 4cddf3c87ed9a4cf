import { expect } from 'chai';
import { once } from 'node:events';
import { Agent, createServer as createHttpServer, get } from 'node:http';
import { connect, createServer, Socket, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Holdfast, type Guard } from '../../../src/index.js';
import { readKernel } from '../../support/kernel-reader.js';
import { connectPair, listen } from '../../support/pair.js';
import { CERTIFICATE } from '../reconnect/support/certificates.js';

const OPTIONS = { keepalive: { idle: 7000, interval: 3000, count: 4 }, userTimeout: 23_000 };
const HELD = { keepalive: 1, idle: 7, interval: 3, count: 4, userTimeout: 23_000 };
const OTHER = { keepalive: { idle: 9000, interval: 2000, count: 6 }, userTimeout: 31_000 };
const HELD_OTHER = { keepalive: 1, idle: 9, interval: 2, count: 6, userTimeout: 31_000 };

const hf = new Holdfast(OPTIONS);
const handleOf = (socket: Socket): object => (socket as unknown as { _handle: object })._handle;

async function tlsServer(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createTlsServer(CERTIFICATE, peer => peer.on('error', () => undefined).pipe(peer));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

async function echo(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  let got = '';
  while (got.length < text.length) got += String((await once(socket, 'data'))[0]);
  expect(got).to.equal(text);
}

describe('the pin', () => {
  it('holds against setKeepAlive in every form', async () => {
    const pair = await connectPair();
    hf.harden(pair.client);
    pair.client.setKeepAlive(true, 5000);
    pair.client.setKeepAlive(true);
    pair.client.setKeepAlive(false);
    pair.client.setKeepAlive(true, 60_000);
    expect(readKernel(pair.client)).to.deep.equal(HELD);
    await pair.close();
  });

  it('holds against http.Agent when it frees a socket', async () => {
    const server = createHttpServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true, keepAliveMsecs: 1000 });
    const request = get({ host: '127.0.0.1', port, agent });
    const [socket] = (await once(request, 'socket')) as [Socket];
    hf.harden(socket);
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
    response.resume();
    await once(agent, 'free');
    expect(readKernel(socket)).to.deep.equal(HELD);
    agent.destroy();
    server.close();
    await once(server, 'close');
  });

  it('holds through a TLS upgrade of the hardened socket and setKeepAlive on what it became', async () => {
    const server = await tlsServer();
    const raw = connect(server.port, '127.0.0.1');
    hf.harden(raw);
    await once(raw, 'connect');
    const over = tlsConnect({ socket: raw, rejectUnauthorized: false });
    await once(over, 'secureConnect');
    over.setKeepAlive(true, 5000);
    raw.setKeepAlive(true, 6000);
    expect(readKernel(raw)).to.deep.equal(HELD);
    await echo(over, 'hello');
    over.destroy();
    await server.close();
  });

  for (const [name, options] of [
    ['IPv4', { host: '127.0.0.1' }],
    ['IPv6', { host: '::1' }],
    ['happy eyeballs', { host: 'localhost', autoSelectFamily: true }],
  ] as const) {
    it(`is set before the first listener of 'connect' runs: ${name}`, async () => {
      const { port, close } = await listen(undefined, options.host);
      const socket = new Socket();
      let seen: unknown;
      socket.once('connect', () => (seen = readKernel(socket)));
      hf.harden(socket);
      socket.connect({ ...options, port });
      await once(socket, 'connect');
      expect(seen).to.deep.equal(HELD);
      socket.destroy();
      await close();
    });
  }

  it('is set on TLS sockets that connect by themselves', async () => {
    const server = await tlsServer();
    const socket = hf.connect({ host: '127.0.0.1', port: server.port, tls: { rejectUnauthorized: false } });
    await once(socket, 'connect');
    expect(readKernel(socket)).to.deep.equal(HELD);
    await once(socket, 'secureConnect');
    await echo(socket, 'hello');
    socket.destroy();
    await server.close();
  });

  it('is set on accepted sockets and on sockets made from a descriptor', async () => {
    const pair = await connectPair();
    hf.harden(pair.peer);
    expect(readKernel(pair.peer)).to.deep.equal(HELD);
    await pair.close();
  });

  it('is set again after a dead socket was connected again', async () => {
    const { port, close } = await listen();
    const socket = connect(port, '127.0.0.1');
    const guard = hf.harden(socket);
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    expect(guard.verdict?.cause).to.equal('local-close');
    hf.harden(socket);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(readKernel(socket)).to.deep.equal(HELD);
    expect(guard.verdict).to.equal(undefined);
    socket.destroy();
    await close();
  });

  it('leaves a Unix socket as it was', async () => {
    const path = join(tmpdir(), `holdfast-${process.pid}-${Date.now()}.sock`);
    const server = createServer(peer => peer.end('bye')).listen(path);
    await once(server, 'listening');
    const socket = connect(path);
    const keys = Reflect.ownKeys(socket);
    const guard = hf.harden(socket);
    await once(socket, 'connect');
    expect(Reflect.ownKeys(socket)).to.deep.equal(keys);
    expect(guard.settings).to.equal(undefined);
    expect(String((await once(socket, 'data'))[0])).to.equal('bye');
    socket.destroy();
    server.close();
    await once(server, 'close');
  });
});

describe('harden', () => {
  it('twice is the same as once', async () => {
    const pair = await connectPair();
    let hardened = 0;
    const own = new Holdfast(OPTIONS);
    own.on('hardened', () => hardened++);
    own.harden(pair.client);
    const keys = Reflect.ownKeys(pair.client);
    own.harden(pair.client);
    expect(Reflect.ownKeys(pair.client)).to.deep.equal(keys);
    expect(hardened).to.equal(1);
    await pair.close();
  });

  it('with other options changes a live socket, and a later release still restores the first values', async () => {
    const pair = await connectPair();
    const before = readKernel(pair.client);
    hf.harden(pair.client);
    const guard = hf.harden(pair.client, OTHER);
    expect(readKernel(pair.client)).to.deep.equal(HELD_OTHER);
    expect(guard.settings?.idle.requested).to.equal(9000);
    guard.release();
    expect(readKernel(pair.client)).to.deep.equal(before);
    await pair.close();
  });

  it('destroys a socket on which strict options are not effective, and says which', async () => {
    const pair = await connectPair({}, client => client.removeAllListeners('error'));
    const failed = once(pair.client, 'error') as Promise<[Error & { code: string }]>;
    new Holdfast({ ...OPTIONS, backend: 'node', strict: true }).harden(pair.client);
    const [error] = await failed;
    expect(error.code).to.equal('ERR_HOLDFAST_NOT_EFFECTIVE');
    expect(error.message).to.match(/userTimeout/);
    await pair.close();
  });

  it('accepts rounding under strict', async () => {
    const pair = await connectPair();
    new Holdfast({ ...OPTIONS, keepalive: { idle: 6500 }, strict: true }).harden(pair.client);
    expect(pair.client.destroyed).to.equal(false);
    await pair.close();
  });
});

describe('release', () => {
  const state = (socket: Socket): unknown => ({
    keys: Reflect.ownKeys(socket),
    handle: Reflect.ownKeys(handleOf(socket)),
    listeners: socket.eventNames().map(name => [name, socket.listeners(name)]),
    kernel: readKernel(socket),
  });

  it('leaves the socket, its handle, its listeners and the kernel as they were', async () => {
    const pair = await connectPair({ keepAlive: true, keepAliveInitialDelay: 45_000 });
    const before = state(pair.client);
    const guard = hf.harden(pair.client);
    expect(state(pair.client)).to.not.deep.equal(before);
    guard.release();
    guard.release();
    expect(state(pair.client)).to.deep.equal(before);
    await pair.close();
  });

  it('before the socket is connected leaves nothing behind', async () => {
    const { port, close } = await listen();
    const socket = new Socket();
    const keys = Reflect.ownKeys(socket);
    const names = socket.eventNames();
    hf.harden(socket).release();
    expect(Reflect.ownKeys(socket)).to.deep.equal(keys);
    expect(socket.eventNames()).to.deep.equal(names);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(readKernel(socket).keepalive).to.equal(0);
    socket.destroy();
    await close();
  });

  it('does the setKeepAlive call that was held back', async () => {
    const pair = await connectPair();
    const guard = hf.harden(pair.client);
    pair.client.setKeepAlive(true, 5000);
    pair.client.setKeepAlive(true, 61_000);
    guard.release();
    expect(readKernel(pair.client)).to.deep.include({ keepalive: 1, idle: 61, userTimeout: 0 });
    await pair.close();
  });

  it('and harden again harden again', async () => {
    const pair = await connectPair();
    const before = state(pair.client);
    for (let round = 0; round < 3; round++) {
      const guard = hf.harden(pair.client);
      expect(readKernel(pair.client)).to.deep.equal(HELD);
      guard.release();
      expect(state(pair.client)).to.deep.equal(before);
    }
    await pair.close();
  });

  it('keeps working under somebody else’s method, and so does hardening again', async () => {
    const pair = await connectPair();
    pair.peer.pipe(pair.peer);
    const socket = pair.client as Socket & { _write: (...args: unknown[]) => void };
    hf.harden(socket);
    const ours = socket._write;
    let seen = 0;
    socket._write = function (...args) {
      seen++;
      ours.apply(this, args);
    };
    const theirs = socket._write;
    for (let round = 0; round < 3; round++) {
      hf.harden(socket).release();
      expect(socket._write).to.equal(theirs);
      await echo(socket, 'after release');
      hf.harden(socket);
      await echo(socket, 'after harden');
    }
    expect(seen).to.equal(6);
    // Theirs is taken off again: ours must be found and removed, and come back in full.
    socket._write = ours;
    hf.harden(socket).release();
    expect(Object.hasOwn(socket, '_write')).to.equal(false);
    hf.harden(socket);
    expect(socket._write).to.equal(ours);
    await echo(socket, 'and again');
    await pair.close();
  });

  it('puts back a method that somebody had replaced before', async () => {
    const pair = await connectPair();
    const own = pair.client.push.bind(pair.client);
    pair.client.push = own;
    const guard = hf.harden(pair.client);
    expect(pair.client.push).to.not.equal(own);
    guard.release();
    expect(pair.client.push).to.equal(own);
    await pair.close();
  });
});

describe('a TLS socket over a hardened raw socket', () => {
  async function startTls(
    use: (raw: Socket, over: TLSSocket, guards: { raw: Guard; over: Guard }) => Promise<void>,
    instance = hf,
  ): Promise<void> {
    const server = await tlsServer();
    const raw = connect(server.port, '127.0.0.1');
    const rawGuard = instance.harden(raw);
    await once(raw, 'connect');
    const over = tlsConnect({ socket: raw, rejectUnauthorized: false });
    over.on('error', () => undefined);
    const overGuard = instance.harden(over, OTHER);
    await once(over, 'secureConnect');
    try {
      await use(raw, over, { raw: rawGuard, over: overGuard });
    } finally {
      over.destroy();
      raw.destroy();
      await server.close();
    }
  }

  it('has the settings asked for last', () =>
    startTls(async (raw, over) => {
      expect(readKernel(raw)).to.deep.equal(HELD_OTHER);
      await echo(over, 'hello');
    }));

  it('keeps its settings and its pin when the raw one is released', () =>
    startTls(async (raw, over, guards) => {
      guards.raw.release();
      over.setKeepAlive(true, 5000);
      raw.setKeepAlive(true, 5000);
      expect(readKernel(raw)).to.deep.equal(HELD_OTHER);
      guards.over.release();
      expect(readKernel(raw)).to.deep.include({ keepalive: 1, idle: 5, userTimeout: 0 });
      await echo(over, 'hello');
    }));

  it('hands the settings back to the raw one when it is released', () =>
    startTls(async (raw, over, guards) => {
      guards.over.release();
      over.setKeepAlive(true, 5000);
      expect(readKernel(raw)).to.deep.equal(HELD);
      guards.raw.release();
      expect(readKernel(raw)).to.deep.include({ keepalive: 1, idle: 5, userTimeout: 0 });
      await echo(over, 'hello');
    }));

  it('dies once: one event, and both guards tell the same story', async () => {
    const own = new Holdfast(OPTIONS);
    let died = 0;
    own.on('died', () => died++);
    await startTls(async (raw, over, guards) => {
      over.destroy();
      if (!raw.destroyed) await once(raw, 'close');
      expect(guards.over.verdict?.cause).to.equal('local-close');
      expect(guards.raw.verdict).to.equal(guards.over.verdict);
    }, own);
    expect(died).to.equal(1);
  });
});
