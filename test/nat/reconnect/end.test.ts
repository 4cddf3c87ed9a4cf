import { expect } from 'chai';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { SuspendedEvent } from '../../../src/reconnect/events.js';
import { createReconnectingSocket } from '../../../src/reconnect/reconnecting-socket.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { context } from '../../integration/reconnect/support/rig.js';
import { until, useNatLab } from '../../support/nat.js';

for (const expiry of ['reset-on-packet', 'drop'] as const) {
  describe(`end() of a session behind a NAT that answers with ${expiry}`, () => {
    const nat = useNatLab({ idleTimeout: '2s', expiry });

    it('reaches the peer long before the user timeout, on a connection made for it', async () => {
      const server = nat.serve(socket => socket.resume());
      const session = createReconnectingSocket(
        { host: server.host, port: server.port },
        resolveOptions({ probeAfterIdle: '1s', userTimeout: '10m', reconnect: { minTimeout: 10 } }),
        context,
      );
      try {
        const deaths: SuspendedEvent[] = [];
        session.on('suspended', event => deaths.push(event));
        await once(session, 'ready');
        session.write('all there is');
        await until('the bytes arrive', () => server.received === 'all there is');
        await nat.evicted();
        session.resume();
        session.end();
        await once(session, 'close');
        expect(server.sockets).to.have.length(2);
        expect(server.received).to.equal('all there is');
        const cause = expiry === 'drop' ? 'path-timeout' : 'nat-eviction';
        expect(deaths.map(({ verdict }) => verdict.cause)).to.deep.equal([cause]);
        expect(deaths.map(({ uncertain, pending }) => [uncertain.bytes, pending.bytes])).to.deep.equal([
          [0, 0],
        ]);
      } finally {
        session.destroy();
      }
    });

    it('is sent on the connection there is where the path answers', async () => {
      await nat.lab.configure({ idleTimeout: '1h' });
      const server = nat.serve(socket => socket.resume());
      const session = createReconnectingSocket(
        { host: server.host, port: server.port },
        resolveOptions({ probeAfterIdle: '1s' }),
        context,
      );
      try {
        await once(session, 'ready');
        await delay(1200); // a silence longer than the gate's
        session.resume();
        session.end();
        await once(session, 'close');
        expect(server.sockets).to.have.length(1);
      } finally {
        session.destroy();
        await nat.lab.configure({ idleTimeout: '2s' });
      }
    });
  });
}
