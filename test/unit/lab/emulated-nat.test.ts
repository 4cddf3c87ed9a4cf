import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createNatLab, LabError, type NatLab, type NatSettings } from '../../../src/lab/index.js';

const IDLE = 60;

/** A connection through the relay, and what the server side saw of it. */
interface Pair {
  readonly client: Socket;
  readonly peer: Socket;
}

describe('emulated NAT', () => {
  let lab: NatLab;
  let server: Server;
  const sockets: Socket[] = [];
  /** The timeline since `start`: 'flow', 'evicted', 'reset client' ... */
  let told: string[];

  async function start(settings: NatSettings, allowHalfOpen = false): Promise<Pair> {
    lab = await createNatLab({ ...settings, backend: 'emulated' });
    const events: string[] = [];
    told = events;
    for (const kind of ['flow', 'evicted'] as const) lab.on(kind, () => events.push(kind));
    for (const kind of ['reset', 'dropped'] as const)
      lab.on(kind, ({ from }) => events.push(`${kind} ${from}`));
    server = createServer({ allowHalfOpen }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return dial(allowHalfOpen);
  }

  async function dial(allowHalfOpen = false): Promise<Pair> {
    const route = await lab.route((server.address() as AddressInfo).port);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect({ ...route, allowHalfOpen });
    const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
    for (const socket of [client, peer]) socket.on('error', () => undefined);
    sockets.push(client, peer);
    return { client, peer };
  }

  async function isTold(event: string): Promise<void> {
    while (!told.includes(event)) await new Promise(resolve => setTimeout(resolve, 5));
  }

  /** The error a socket dies of; undefined when it closes without one. */
  async function death(socket: Socket): Promise<string | undefined> {
    let code: string | undefined;
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
    socket.resume();
    await new Promise(resolve => socket.once('close', resolve));
    return code;
  }

  function text(socket: Socket): { readonly now: string } {
    let now = '';
    socket.on('data', chunk => (now += chunk.toString()));
    return {
      get now() {
        return now;
      },
    };
  }

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await lab.close();
    await new Promise(resolve => server.close(resolve));
  });

  it('relays both ways and shows the flow', async () => {
    const { client, peer } = await start({ idleTimeout: '1m' });
    client.write('ping');
    expect(String((await once(peer, 'data'))[0])).to.equal('ping');
    peer.write('pong');
    expect(String((await once(client, 'data'))[0])).to.equal('pong');
    const [flow, ...others] = await lab.flows();
    expect(others).to.deep.equal([]);
    expect(flow).to.include({
      client: `127.0.0.1:${client.localPort ?? 0}`,
      translated: `127.0.0.1:${peer.remotePort ?? 0}`,
      state: 'ESTABLISHED',
    });
    expect(flow?.expiresIn).to.be.within(1, 60_000);
  });

  it('gives one relay to a port, and listens on 127.0.0.1 only', async () => {
    const { client } = await start({});
    const { port } = server.address() as AddressInfo;
    expect(await lab.route(port)).to.deep.equal({ host: '127.0.0.1', port: client.remotePort });
    expect(await lab.route(port === 1 ? 2 : 1)).to.not.deep.equal(await lab.route(port));
    for (const wrong of [0, 65_536, 1.5]) {
      const error: unknown = await lab.route(wrong).catch((reason: unknown) => reason);
      expect(error)
        .to.be.instanceOf(LabError)
        .with.property('message', `route: port is ${wrong}, allowed: 1 to 65535`);
    }
  });

  it('resets the side that sends into a forgotten flow, and the other side only when it sends too', async () => {
    const { client, peer } = await start({ idleTimeout: IDLE });
    const heard = text(peer);
    await isTold('evicted');
    expect(await lab.flows()).to.deep.equal([]);
    client.write('lost');
    expect(await death(client)).to.equal('ECONNRESET');
    expect(peer.readyState).to.equal('open');
    peer.write('lost too');
    expect(await death(peer)).to.equal('ECONNRESET');
    expect(heard.now).to.equal('');
    expect(told).to.deep.equal(['flow', 'evicted', 'reset client', 'reset server']);
  });

  it('answers a FIN of a forgotten flow with a reset', async () => {
    const { client } = await start({ idleTimeout: IDLE });
    await isTold('evicted');
    client.end();
    expect(await death(client)).to.equal('ECONNRESET');
  });

  it('swallows what is sent into a forgotten flow in drop mode, and both sockets stay open', async () => {
    const { client, peer } = await start({ idleTimeout: IDLE, expiry: 'drop' });
    const heard = [text(client), text(peer)];
    await isTold('evicted');
    client.write('lost');
    await isTold('dropped client');
    client.end();
    peer.write('lost too');
    await isTold('dropped server');
    expect(told.filter(event => event.startsWith('reset'))).to.deep.equal([]);
    expect(heard.map(({ now }) => now)).to.deep.equal(['', '']);
    expect(peer.readyState).to.equal('open');
    expect(client.readableEnded).to.equal(false);
  });

  it('resets both sides at expiry when told to', async () => {
    const { client, peer } = await start({ idleTimeout: IDLE, expiry: 'reset-at-expiry' });
    expect(await Promise.all([death(client), death(peer)])).to.deep.equal(['ECONNRESET', 'ECONNRESET']);
    expect(told).to.deep.equal(['flow', 'evicted', 'reset client', 'reset server']);
  });

  it('keeps a flow that carries payload in either direction', async () => {
    const { client, peer } = await start({ idleTimeout: 500 });
    const heard = text(client);
    for (let beat = 0; beat < 10; beat += 1) {
      peer.write('.');
      await once(client, 'data');
      await new Promise(resolve => setTimeout(resolve, 100)); // well inside the timeout, twice it in all
    }
    expect(told).to.deep.equal(['flow']);
    expect(heard.now).to.equal('..........');
  });

  it('forgets at once on forget()', async () => {
    const { client } = await start({ idleTimeout: '1h' });
    await lab.forget();
    client.write('lost');
    expect(await death(client)).to.equal('ECONNRESET');
  });

  it('gives a flow the new idle timeout at its next packet, and packets the new expiry at once', async () => {
    const { client, peer } = await start({ idleTimeout: '1h' });
    await lab.configure({ idleTimeout: IDLE, expiry: 'drop' });
    expect((await lab.flows())[0]?.expiresIn).to.be.greaterThan(3_000_000);
    client.write('x');
    await once(peer, 'data');
    await isTold('evicted');
    await lab.configure({ expiry: 'reset-on-packet' });
    client.write('y');
    expect(await death(client)).to.equal('ECONNRESET');
  });

  it('relays a half-close and what follows it', async () => {
    const { client, peer } = await start({ idleTimeout: '1m' }, true);
    const asked = text(peer);
    const answered = text(client);
    client.end('question');
    await once(peer, 'end');
    expect((await lab.flows())[0]?.state).to.equal('FIN_WAIT');
    expect(asked.now).to.equal('question');
    peer.end('answer');
    await once(client, 'end');
    expect(answered.now).to.equal('answer');
  });

  it('passes a reset on, and resets a client whose server is not there', async () => {
    const { client, peer } = await start({ idleTimeout: '1m' });
    client.resetAndDestroy();
    expect(await death(peer)).to.equal('ECONNRESET');
    const route = await lab.route((server.address() as AddressInfo).port);
    await new Promise(resolve => server.close(resolve));
    const late = connect(route);
    expect(await death(late)).to.equal('ECONNRESET');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  it('holds a fast sender back for a slow reader, loses nothing, and does not call that idle', async () => {
    const { client, peer } = await start({ idleTimeout: IDLE });
    const block = Buffer.alloc(1 << 20, 7);
    const blocks = 64; // more than the kernel's loopback buffers and Node's take together
    for (let sent = 0; sent < blocks; sent += 1) client.write(block);
    await new Promise(resolve => setTimeout(resolve, 5 * IDLE));
    expect(client.writableLength).to.be.greaterThan(0);
    expect(told).to.deep.equal(['flow']);
    let received = 0;
    peer.on('data', chunk => (received += chunk.length));
    while (received < blocks * block.length) await once(peer, 'data');
    expect(received).to.equal(blocks * block.length);
  });

  it('runs programs and functions on this host, and refuses to enter', async () => {
    await start({});
    expect(lab.inside('server', () => 42)).to.equal(42);
    expect(() => lab.enter('client')).to.throw(LabError, 'kernel backend');
    const child = lab.spawn('client', process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    await lab.close();
    expect(child.signalCode).to.be.oneOf(['SIGTERM', 'SIGKILL']);
    expect(() => lab.spawn('client', 'true')).to.throw(LabError, 'closed');
  });

  it('resets what is open when it closes', async () => {
    const { client, peer } = await start({ idleTimeout: '1m' });
    const died = Promise.all([death(client), death(peer)]);
    await lab[Symbol.asyncDispose]();
    expect(await died).to.deep.equal(['ECONNRESET', 'ECONNRESET']);
  });
});
