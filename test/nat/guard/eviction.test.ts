import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Holdfast, verdictOf, type HoldfastOptions } from '../../../src/index.js';
import { until, useNatLab, type NatServer } from '../../support/nat.js';

type CodedError = (Error & { code?: string }) | null | undefined;

/** Eviction is what is tested: keepalive stays out of the way, as with a timeout nobody knew of. */
const UNPROTECTED: HoldfastOptions = { keepalive: { idle: '1h' }, probeAfterIdle: '1s', learn: false };

async function dial(server: NatServer, options?: HoldfastOptions) {
  const accepted = server.accepted();
  const socket = connect(server.port, server.host);
  socket.on('error', () => undefined);
  const guard = options === undefined ? undefined : new Holdfast(options).harden(socket);
  await once(socket, 'connect');
  socket.resume();
  socket.write('hello ');
  await accepted;
  await until('the greeting arrives', () => server.received.endsWith('hello '));
  return { socket, guard };
}

function firstWrite(socket: Socket, text: string): Promise<CodedError> {
  return new Promise(resolve => socket.write(text, error => resolve(error)));
}

for (const [expiry, code, cause] of [
  ['reset-on-packet', 'ECONNRESET', 'nat-eviction'],
  ['drop', 'ETIMEDOUT', 'path-timeout'],
] as const) {
  describe(`behind a NAT that forgets after 2 s and answers by ${expiry}`, () => {
    const nat = useNatLab({ idleTimeout: 2000, expiry });

    it(`the first write fails with ${code}, ${cause}, never-sent, and the server gets nothing of it`, async () => {
      const server = nat.serve();
      const { socket, guard } = await dial(server, UNPROTECTED);
      await nat.evicted();
      const started = performance.now();
      const error = await firstWrite(socket, 'doomed');
      expect(error?.code).to.equal(code);
      expect(performance.now() - started).to.be.below(3500);
      expect(verdictOf(error)).to.deep.include({ cause, delivery: 'never-sent' }).and.equal(guard?.verdict);
      expect(server.received).to.equal('hello ');
    });

    it('a bare socket’s write is lost or hangs', async () => {
      const server = nat.serve();
      const { socket } = await dial(server);
      await nat.evicted();
      // A bare socket takes the write: the kernel has it, and the peer never will.
      expect((await firstWrite(socket, 'lost')) ?? undefined).to.equal(undefined);
      if (expiry === 'reset-on-packet') await until('the bare socket dies', () => socket.destroyed);
      expect(server.received).to.equal('hello ');
      socket.destroy();
    });

    it('keepalive of 1 s lives through the silence, and the write arrives', async () => {
      const server = nat.serve();
      const { socket } = await dial(server, {
        keepalive: { idle: '1s', interval: '1s' },
        probeAfterIdle: '1s',
      });
      await new Promise(resolve => setTimeout(resolve, 4500));
      expect((await firstWrite(socket, 'alive')) ?? undefined).to.equal(undefined);
      await until('the write arrives', () => server.received.endsWith('alive'));
      socket.destroy();
    });

    it('a living path passes the gate', async () => {
      const server = nat.serve();
      const { socket } = await dial(server, UNPROTECTED);
      await new Promise(resolve => setTimeout(resolve, 1200));
      expect((await firstWrite(socket, 'passed')) ?? undefined).to.equal(undefined);
      await until('the write arrives', () => server.received.endsWith('passed'));
      socket.destroy();
    });
  });
}
