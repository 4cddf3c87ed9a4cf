import { expect } from 'chai';
import { once } from 'node:events';
import { connect as netConnect, Socket, type AddressInfo } from 'node:net';
import { connect as tlsConnect, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { descriptor, hostName, peerName, tcpHandle } from '../../../src/kernel/handle.js';
import { CERTIFICATE } from '../../integration/reconnect/support/certificates.js';
import { connectPair, listen } from '../../support/pair.js';

type Internals = {
  _handle: Record<string, unknown> & { _parent?: unknown };
  _host?: unknown;
  _parent?: unknown;
};
const internals = (socket: Socket): Internals => socket as unknown as Internals;

describe(`private fields of Node ${process.versions.node}`, () => {
  it('give a connected socket a handle with fd, setKeepAlive, getpeername and bytesRead', async () => {
    const pair = await connectPair();
    const handle = tcpHandle(pair.client);
    expect(handle).to.equal(internals(pair.client)._handle);
    expect(handle && descriptor(handle))
      .to.be.a('number')
      .and.at.least(0);
    expect(handle?.setKeepAlive).to.be.a('function');
    expect(handle?.bytesRead).to.equal(0);
    expect(handle && peerName(handle)).to.deep.equal({
      address: '127.0.0.1',
      port: (pair.server.address() as AddressInfo).port,
    });
    pair.peer.write('12345');
    await once(pair.client, 'data');
    expect(handle?.bytesRead).to.equal(5);
    await pair.close();
  });

  it('leave setKeepAlive on the handle’s class, so that it can be shadowed on one handle', async () => {
    const pair = await connectPair();
    expect(Object.hasOwn(internals(pair.client)._handle, 'setKeepAlive')).to.equal(false);
    let calls = 0;
    Object.defineProperty(internals(pair.client)._handle, 'setKeepAlive', {
      value: () => ++calls * 0,
      configurable: true,
    });
    pair.client.setKeepAlive(true, 7000);
    expect(calls).to.equal(1);
    await pair.close();
  });

  it('show a closed handle by a negative descriptor', async () => {
    const pair = await connectPair();
    const handle = tcpHandle(pair.client);
    pair.client.destroy();
    await once(pair.client, 'close');
    expect(handle && descriptor(handle)).to.equal(undefined);
    expect(tcpHandle(pair.client)).to.equal(undefined);
    await pair.close();
  });

  it('keep the name a socket was asked to connect to in _host', async () => {
    const { port, close } = await listen(undefined, 'localhost');
    const client = netConnect({ host: 'localhost', port });
    await once(client, 'connect');
    expect(internals(client)._host).to.equal('localhost');
    expect(hostName(client)).to.equal('localhost');
    client.destroy();
    await close();
  });

  it('link a TLS socket to the TCP handle and to the raw socket under it', async () => {
    const server = createTlsServer({ ...CERTIFICATE }, peer => peer.on('error', () => undefined)).listen(
      0,
      'localhost',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const raw = netConnect({ host: 'localhost', port });
    await once(raw, 'connect');
    const over = tlsConnect({ socket: raw, rejectUnauthorized: false });
    expect(tcpHandle(over)).to.equal(internals(raw)._handle);
    expect(internals(over)._parent).to.equal(raw);
    expect(hostName(over)).to.equal('localhost');
    expect((over as unknown as { secureConnecting: boolean }).secureConnecting).to.equal(true);
    await once(over, 'secureConnect');
    expect((over as unknown as { secureConnecting: boolean }).secureConnecting).to.equal(false);
    over.destroy();
    server.close();
    await once(server, 'close');
  });

  it('have no handle before connecting', () => {
    expect(tcpHandle(new Socket())).to.equal(undefined);
    expect(hostName(new Socket())).to.equal(undefined);
  });

  it('find no TCP handle under TLS over a JavaScript stream', () => {
    const raw = new Socket();
    const over = new TLSSocket(raw);
    expect(tcpHandle(over)).to.equal(undefined);
    over.destroy();
    raw.destroy();
  });
});
