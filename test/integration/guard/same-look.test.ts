import { expect } from 'chai';
import { once } from 'node:events';
import { isPathAlive } from '../../../src/drivers/path-check.js';
import { receivedBytes } from '../../../src/drivers/received-bytes.js';
import { hardenSocket } from '../../../src/guard/harden.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakePath } from '../../support/fake-path.js';
import { connectPair, type Pair } from '../../support/pair.js';
import { until } from '../../support/nat.js';
import { context } from '../reconnect/support/rig.js';

describe('a path that is found silent just when a keepalive of the kernel’s own is answered', () => {
  let pair: Pair | undefined;
  afterEach(() => pair?.close());

  /** A socket guarded by a kernel that hears of the peer right after it was asked the next time. */
  async function setUp() {
    pair = await connectPair();
    const { client, peer } = pair;
    const clock = new FakeClock();
    const path = new FakePath(clock, 1003);
    hardenSocket(client, resolveOptions({ probeAfterIdle: '1s' }), { clock, kernel: path.kernel, hooks: {} });
    const look = path.tcpInfo.bind(path);
    path.tcpInfo = () => {
      const info = look();
      path.heardAt = clock.now();
      path.tcpInfo = look;
      return info;
    };
    return { client, peer, clock };
  }

  it('takes a write at once, and not when it can be asked, a second later', async () => {
    const { client, peer, clock } = await setUp();
    client.write('hello');
    expect(client.writableLength).to.equal(5);
    clock.advance(50);
    const [chunk] = (await once(peer, 'data')) as [Buffer];
    expect(chunk.toString()).to.equal('hello');
  });

  it('lets its connection be handed out at once', async () => {
    const { client, clock } = await setUp();
    const isAlive = isPathAlive(client, 1000);
    clock.advance(50);
    expect(await isAlive).to.equal(true);
  });
});

describe('bytes that a program has not read yet', () => {
  it('are known to whoever waits for a sign of life', async () => {
    const { client, peer, close } = await connectPair();
    try {
      hardenSocket(client, resolveOptions({}), context);
      expect(receivedBytes(client)).to.equal(0); // and nobody reads
      peer.write('pong');
      await until('they are in the kernel', () => receivedBytes(client) === 4);
      expect(client.bytesRead).to.equal(0);
    } finally {
      await close();
    }
  });
});
