import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';
import {
  createReconnectingSocket,
  type ReconnectingSocket,
} from '../../../src/reconnect/reconnecting-socket.js';
import type { SuspendedEvent } from '../../../src/reconnect/events.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { CERTIFICATE } from '../../integration/reconnect/support/certificates.js';
import { context } from '../../integration/reconnect/support/rig.js';
import { until, useNatLab } from '../../support/nat.js';

const LINES = 300;
const EVICTIONS = 4;

/** A session protocol over the NAT: each connection after the first must say RESUME before anything else. */
function listen(inside: (fn: () => void) => void, isSecure: boolean) {
  /** What each connection sent, line by line. */
  const lines: string[][] = [];
  const sockets: Socket[] = [];
  const accept = (socket: Socket): void => {
    const own: string[] = [];
    lines.push(own);
    sockets.push(socket);
    socket.on('error', () => undefined); // evictions are what these tests are about
    createInterface({ input: socket, crlfDelay: Infinity })
      .on('line', line => {
        own.push(line);
        if (line.startsWith('RESUME')) socket.write('WELCOME\n');
      })
      .on('error', () => undefined);
  };
  const server: Server = isSecure ? createTlsServer({ ...CERTIFICATE }, accept) : createServer(accept);
  inside(() => server.listen(0));
  return {
    lines,
    port: (server.address() as AddressInfo).port,
    close(): void {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

for (const expiry of ['reset-on-packet', 'drop'] as const) {
  describe(`a session behind a NAT that answers with ${expiry}`, () => {
    const nat = useNatLab({ idleTimeout: '2s', expiry });

    for (const isSecure of [false, true]) {
      it(`delivers 300 lines through 4 evictions once each, in order, the hook first (${isSecure ? 'TLS' : 'plain'})`, async function () {
        this.timeout(30_000);
        const peer = listen(fn => nat.lab.inside('server', fn), isSecure);
        const deaths: SuspendedEvent[] = [];
        let session: ReconnectingSocket | undefined;
        try {
          session = createReconnectingSocket(
            {
              host: nat.lab.serverAddress,
              port: peer.port,
              ...(isSecure ? { tls: true, ca: CERTIFICATE.cert, servername: 'db.test' } : {}),
            },
            resolveOptions({
              probeAfterIdle: '1s',
              reconnect: { minTimeout: 10 },
              resume: async ({ socket, generation }: { socket: Socket; generation: number }) => {
                socket.write(`RESUME ${generation}\n`);
                await once(socket, 'data');
              },
            }),
            context,
          );
          session.on('suspended', event => deaths.push(event));
          await once(session, 'ready');

          let line = 0;
          for (let burst = 0; burst <= EVICTIONS; burst++) {
            const end = ((burst + 1) * LINES) / (EVICTIONS + 1);
            while (line < end) session.write(`line ${line++}\n`);
            await until(`line ${end - 1} arrives`, () =>
              peer.lines.some(own => own.includes(`line ${end - 1}`)),
            );
            if (burst < EVICTIONS) await nat.evicted();
          }

          const arrived = peer.lines.flat().filter(text => text.startsWith('line'));
          expect(arrived).to.deep.equal(Array.from({ length: LINES }, (_, index) => `line ${index}`));
          expect(peer.lines).to.have.length(EVICTIONS + 1);
          peer.lines.forEach((own, index) => {
            if (index > 0) expect(own[0]).to.equal(`RESUME ${index + 1}`);
          });
          const cause = expiry === 'drop' ? 'path-timeout' : 'nat-eviction';
          expect(deaths.map(({ verdict }) => [verdict.cause, verdict.delivery])).to.deep.equal(
            Array(EVICTIONS).fill([cause, 'never-sent']),
          );
          expect(deaths.map(({ uncertain }) => uncertain.bytes)).to.deep.equal(Array(EVICTIONS).fill(0));
        } finally {
          session?.destroy();
          peer.close();
        }
      });
    }
  });
}
