import { expect } from 'chai';
import { once } from 'node:events';
import { TLSSocket } from 'node:tls';
import type { AttemptedEvent, SuspendedEvent } from '../../../src/reconnect/events.js';
import { CERTIFICATE, STRANGER } from './support/certificates.js';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import { collect, death, recordEvents, useRig } from './support/rig.js';

describe('a session over TLS', () => {
  const rig = useRig();
  const secure = { tls: true, ca: CERTIFICATE.cert, servername: 'db.test' } as const;

  it('goes on over a new TLS connection, with the session and the name of the first', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({ ...secure, port: peer.port });
    const seen = recordEvents(session);
    const data = collect(session);
    session.write('one');
    await peer.got(0, 'one');
    peer.last.write('first');
    await data.until('first');
    peer.last.destroy();
    await once(session, 'resumed');
    session.write('two');
    await peer.got(1, 'two');
    peer.last.write('second');
    await data.until('second');
    expect(peer.sockets.map(socket => (socket as { servername?: unknown }).servername)).to.deep.equal([
      'db.test',
      'db.test',
    ]);
    expect(session.isSessionReused()).to.equal(true);
    expect(session.encrypted).to.equal(true);
    expect(session.authorized).to.equal(true);
    expect(session.getProtocol()).to.equal('TLSv1.3');
    expect(seen.filter(name => name !== 'end')).to.deep.equal(['suspended', 'attempted', 'resumed']);
  });

  it('repeats a first connection whose handshake was answered with a FIN, and has its verdict', async () => {
    const peer = await rig.listen();
    peer.server.on('connection', socket => socket.end());
    const session = rig.session({ ...secure, port: peer.port, reconnect: { on: 'any', retries: 2 } });
    const error = await death(session);
    expect(error).to.include({ code: 'ERR_HOLDFAST_RECONNECT_FAILED', attempts: 3 });
    expect(verdictOf(error)?.cause).to.equal('peer-closed');
    expect(verdictOf(session)?.cause).to.equal('peer-closed');
  });

  it("tells 'connect', 'ready' and 'secureConnect' once, when it can be used", async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = rig.session({ ...secure, port: peer.port });
    const seen = recordEvents(session);
    session.write('held');
    session.once('connect', () => seen.push(session.state));
    await peer.got(0, 'held');
    expect(seen).to.deep.equal(['connect', 'open', 'ready', 'secureConnect']);
  });

  it('takes TLS options in their own object too', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({
      port: peer.port,
      tls: { ca: CERTIFICATE.cert, servername: 'db.test' },
    });
    expect(session.authorized).to.equal(true);
    expect(session.getPeerCertificate()).to.have.nested.property('subject.CN', 'db.test');
    expect(session.servername).to.equal('db.test');
  });

  it('does not connect to a stranger, and does not try again', async () => {
    const peer = await rig.listen(STRANGER);
    const session = rig.session({ ...secure, port: peer.port });
    const seen = recordEvents(session);
    expect((await death(session)).code).to.equal('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(seen).to.deep.equal(['error', 'close']);
  });

  it('ends where a stranger answers the reconnect: nothing held is sent to it', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({ ...secure, port: peer.port });
    const attempts: AttemptedEvent[] = [];
    session.on('attempted', attempt => attempts.push(attempt));
    session.write('secret');
    await peer.got(0, 'secret');
    session.once('suspended', () => session.write('held secret'));
    (peer.server as unknown as { setSecureContext(options: object): void }).setSecureContext(STRANGER);
    peer.last.destroy();
    expect((await death(session)).code).to.equal('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(attempts).to.have.length(1);
    expect(peer.received.slice(1).join('')).to.equal('');
  });

  it('checks the name on the certificate', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = rig.session({ ...secure, servername: 'other.test', port: peer.port });
    expect((await death(session)).code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('runs the hook on the secured socket', async () => {
    const peer = await rig.listen(CERTIFICATE);
    let greeting = '';
    const session = await rig.opened({
      ...secure,
      port: peer.port,
      resume: async ({ socket }) => {
        expect(socket instanceof TLSSocket && socket.authorized).to.equal(true);
        socket.write('hello ');
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        greeting = chunk.toString();
      },
    });
    await peer.accepted(1);
    peer.onConnection = socket => socket.write('welcome');
    session.once('suspended', () => session.write('held'));
    (await peer.accepted(1)).destroy();
    await peer.got(1, 'held');
    expect(peer.received[1]).to.equal('hello held');
    expect(greeting).to.equal('welcome');
  });

  it('sends once, on the next generation, what the write gate refused', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({ ...secure, port: peer.port });
    await peer.accepted(1);
    peer.resetAll();
    session.write('gated ');
    session.write('and behind');
    const [{ verdict, pending }] = (await once(session, 'suspended')) as [SuspendedEvent];
    expect(verdict.bytes.queued).to.be.at.least(6);
    expect(pending).to.deep.equal({ bytes: 16, writes: 2 });
    await peer.got(1, 'behind');
    expect(peer.received).to.deep.equal(['', 'gated and behind']);
  });

  it('reports no more certainty than ciphertext counts allow', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({ ...secure, port: peer.port });
    session.write('x'.repeat(1000));
    await peer.got(0, 'x'.repeat(1000));
    peer.last.destroy();
    const [{ uncertain, verdict }] = (await once(session, 'suspended')) as [SuspendedEvent];
    expect(uncertain.end).to.equal(1000);
    if (verdict.delivery === 'all-acknowledged') expect(uncertain.bytes).to.equal(0);
  });

  it('goes on trying where the peer speaks no TLS', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({ ...secure, port: peer.port });
    const attempts: AttemptedEvent[] = [];
    session.on('attempted', attempt => attempts.push(attempt));
    const first = await peer.accepted(1);
    const handshakes = peer.server.listeners('connection');
    let garbled = 0;
    peer.server.removeAllListeners('connection');
    peer.server.on('connection', socket => {
      socket.on('error', () => undefined);
      if (++garbled <= 2) socket.resume().end('no TLS here\r\n'.repeat(10));
      else for (const handshake of handshakes) Reflect.apply(handshake, peer.server, [socket]);
    });
    first.destroy();
    await once(session, 'resumed');
    expect(attempts.map(({ error }) => (error as { code?: string } | undefined)?.code)).to.deep.equal([
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      undefined,
    ]);
  });

  it('reaches a host whose first address refuses', async () => {
    const peer = await rig.listen(CERTIFICATE);
    peer.onConnection = socket => socket.pipe(socket);
    const session = await rig.opened({
      ...secure,
      host: 'db.test',
      port: peer.port,
      autoSelectFamily: true,
      lookup: (_host, _options, callback) =>
        callback(null, [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    const data = collect(session);
    session.write('there and back');
    await data.until('there and back');
    expect(session.remoteAddress).to.equal('127.0.0.1');
  });

  it('carries large data both ways unchanged', async () => {
    const peer = await rig.listen(CERTIFICATE);
    peer.onConnection = socket => socket.pipe(socket);
    const session = await rig.opened({ ...secure, port: peer.port });
    const sent = Buffer.alloc(3_000_001).map((_, index) => (index * 7919) % 251);
    session.end(sent);
    const got: Buffer[] = [];
    for await (const chunk of session) got.push(chunk as Buffer);
    expect(Buffer.concat(got).equals(sent)).to.equal(true);
  });

  it('refuses resetAndDestroy() as a TLSSocket does, and lives on', async () => {
    const peer = await rig.listen(CERTIFICATE);
    const session = await rig.opened({ ...secure, port: peer.port });
    expect(() => session.resetAndDestroy())
      .to.throw(TypeError)
      .with.property('code', 'ERR_INVALID_HANDLE_TYPE');
    session.end('still here');
    await peer.got(0, 'still here');
  });
});
