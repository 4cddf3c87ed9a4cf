import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { KernelNat } from '../../../src/lab/kernel-nat.js';
import { findLabTools } from '../../../src/lab/lab-tools.js';
import type { FlowEvent, PacketEvent } from '../../../src/lab/index.js';
import { requireKernelNat, until, useNatLab } from '../../support/nat.js';

/** The error a socket dies of; undefined when it closes without one. */
function death(socket: Socket): Promise<string | undefined> {
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
  return new Promise(resolve => socket.once('close', () => resolve(code)));
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

describe('kernel NAT that resets on a packet', () => {
  const nat = useNatLab({ idleTimeout: '2s', expiry: 'reset-on-packet' });

  it('hides the client behind its own address', async () => {
    const { client, peer } = await nat.dial(nat.serve());
    expect(client.localAddress).to.equal('10.77.1.2');
    expect(peer.remoteAddress).to.equal('::ffff:10.77.2.1');
    const [flow] = (await nat.lab.flows()).filter(({ state }) => state === 'ESTABLISHED');
    expect(flow).to.include({
      client: `10.77.1.2:${client.localPort ?? 0}`,
      server: `10.77.2.2:${client.remotePort ?? 0}`,
      translated: `10.77.2.1:${peer.remotePort ?? 0}`,
    });
  });

  for (const family of ['IPv4', 'IPv6'] as const) {
    it(`answers a write into a forgotten flow with ECONNRESET, and the server never sees the bytes (${family})`, async function () {
      const server = nat.serve();
      const host = family === 'IPv4' ? server.host : server.host6;
      if (host === undefined) return this.skip();
      const { client, peer } = await nat.dial(server, host);
      client.write('before');
      await until('the first bytes arrive', () => server.received === 'before');
      await nat.evicted();
      const died = death(client);
      client.write('after');
      expect(await died).to.equal('ECONNRESET');
      expect(server.received).to.equal('before');
      expect(peer.readyState).to.equal('open');
    });

    it(`resets the server too when it writes first (${family})`, async function () {
      const server = nat.serve();
      const host = family === 'IPv4' ? server.host : server.host6;
      if (host === undefined) return this.skip();
      const { client, peer } = await nat.dial(server, host);
      await nat.evicted();
      const died = death(peer);
      let heard = '';
      client.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      peer.write('late news');
      expect(await died).to.equal('ECONNRESET');
      expect(heard).to.equal('');
      expect(client.readyState).to.equal('open');
      client.destroy();
    });
  }

  it('keeps a flow whose only packets are TCP keepalives', async () => {
    const { client } = await nat.dial(nat.serve(socket => socket.pipe(socket)));
    client.setKeepAlive(true, 1000);
    await delay(5000);
    expect(await echo(client, 'still here')).to.equal('still here');
  });

  it('forgets every flow at once on forget()', async () => {
    await nat.lab.configure({ idleTimeout: '1h' });
    expect(nat.lab.idleTimeout).to.equal(3_600_000);
    const { client } = await nat.dial(nat.serve(socket => socket.pipe(socket)));
    expect(await echo(client, 'one')).to.equal('one');
    await nat.lab.forget();
    expect(await nat.lab.flows()).to.deep.equal([]);
    const died = death(client);
    client.write('two');
    expect(await died).to.equal('ECONNRESET');
    await nat.lab.configure({ idleTimeout: '2s' });
  });

  it('tells the timeline: flow, evicted, reset', async () => {
    const seen: [string, FlowEvent | PacketEvent][] = [];
    nat.lab.on('flow', event => seen.push(['flow', event]));
    nat.lab.on('evicted', event => seen.push(['evicted', event]));
    nat.lab.on('reset', event => seen.push(['reset', event]));
    const { client } = await nat.dial(nat.serve());
    const name = `10.77.1.2:${client.localPort ?? 0}`;
    await until('an eviction is told', () => seen.some(([kind]) => kind === 'evicted'));
    const died = death(client);
    client.write('x');
    await died;
    await until('the reset is told', () => seen.some(([kind]) => kind === 'reset'));
    nat.lab.removeAllListeners();
    expect(seen.map(([kind]) => kind)).to.deep.equal(['flow', 'evicted', 'reset']);
    expect(seen[0]?.[1]).to.have.nested.property('flow.client', name);
    expect(seen[1]?.[1]).to.have.nested.property('flow.client', name);
    expect(seen[2]?.[1]).to.include({ from: 'client', packets: 1 });
  });
});

describe('kernel NAT that drops', () => {
  const nat = useNatLab({ idleTimeout: '2s', expiry: 'drop' });

  it('swallows what either side writes into a forgotten flow, and nothing comes back', async () => {
    const dropped = { client: 0, server: 0 };
    nat.lab.on('dropped', ({ from, packets }) => (dropped[from] += packets));
    let resets = 0;
    nat.lab.on('reset', ({ packets }) => (resets += packets));
    const server = nat.serve();
    const { client, peer } = await nat.dial(server);
    let heard = '';
    client.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await nat.evicted();
    client.write('lost');
    peer.write('lost too');
    // The first packet and at least one retransmission of each: by then an answer would have come.
    await until('both sides retransmit in vain', () => dropped.client > 1 && dropped.server > 1);
    nat.lab.removeAllListeners();
    expect(server.received).to.equal('');
    expect(heard).to.equal('');
    expect(resets).to.equal(0);
    expect([client.readyState, peer.readyState]).to.deep.equal(['open', 'open']);
  });

  it('takes a new expiry for the next packet', async () => {
    const { client } = await nat.dial(nat.serve());
    await nat.evicted();
    await nat.lab.configure({ expiry: 'reset-on-packet' });
    const died = death(client);
    client.write('x');
    expect(await died).to.equal('ECONNRESET');
  });
});

describe('kernel NAT without the conntrack tool', () => {
  before(requireKernelNat);

  it('forgets IPv4 and IPv6 flows by taking its outer link down and up', async () => {
    const settings = { idleTimeout: 60_000, expiry: 'reset-on-packet' } as const;
    const lab = await KernelNat.build(settings, { ...findLabTools(), conntrack: undefined });
    try {
      const server = lab.spawn('server', process.execPath, ['-e', ECHO], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (!server.stdout) throw new Error('no stdout');
      const [line] = (await once(server.stdout, 'data')) as [Buffer];
      lab.enter('client');
      const hosts = [lab.serverAddress, lab.serverAddress6].filter(host => host !== undefined);
      const clients = hosts.map(host => connect(Number(line.toString()), host));
      await Promise.all(clients.map(client => once(client, 'connect')));
      for (const client of clients) expect(await echo(client, 'one')).to.equal('one');
      expect(await lab.flows()).to.have.length(hosts.length);
      await lab.forget();
      expect(await lab.flows()).to.deep.equal([]);
      for (const client of clients) {
        const died = death(client);
        client.write('two');
        expect(await died).to.equal('ECONNRESET');
      }
      const again = clients.map((_, index) => connect(Number(line.toString()), hosts[index] ?? ''));
      for (const client of again) expect(await echo(client, 'three')).to.equal('three');
      for (const client of again) client.destroy();
    } finally {
      await lab.close();
    }
  });
});

const ECHO = `
const server = require('node:net').createServer(socket => socket.on('error', () => {}).pipe(socket));
server.listen(0, () => console.log(server.address().port));
`;

describe('kernel NAT that resets at expiry', () => {
  const nat = useNatLab({ idleTimeout: '1s', expiry: 'reset-at-expiry' });

  for (const family of ['IPv4', 'IPv6'] as const) {
    it(`resets both ends of a forgotten flow though neither sends anything (${family})`, async function () {
      const server = nat.serve();
      const host = family === 'IPv4' ? server.host : server.host6;
      if (host === undefined) return this.skip();
      const { client, peer } = await nat.dial(server, host);
      expect(await Promise.all([death(client), death(peer)])).to.deep.equal(['ECONNRESET', 'ECONNRESET']);
      expect(server.received).to.equal('');
    });
  }

  it('resets all that were forgotten together', async () => {
    const server = nat.serve();
    const pairs = [await nat.dial(server), await nat.dial(server), await nat.dial(server)];
    const deaths = pairs.flatMap(({ client, peer }) => [death(client), death(peer)]);
    expect(await Promise.all(deaths)).to.deep.equal(deaths.map(() => 'ECONNRESET'));
  });

  it('leaves the flows alone that it remembers, and lets new ones through', async () => {
    const { client: idle } = await nat.dial(nat.serve());
    const { client: busy } = await nat.dial(nat.serve(socket => socket.pipe(socket)));
    const talk = setInterval(() => busy.write('.'), 300);
    try {
      expect(await death(idle)).to.equal('ECONNRESET');
      expect(busy.readyState).to.equal('open');
    } finally {
      clearInterval(talk);
    }
    const { client } = await nat.dial(nat.serve(socket => socket.pipe(socket)));
    expect(await echo(client, 'anew')).to.equal('anew');
  });

  it('stops when told to', async () => {
    await nat.lab.configure({ expiry: 'drop' });
    const { client, peer } = await nat.dial(nat.serve());
    await nat.evicted();
    await delay(1000);
    expect([client.readyState, peer.readyState]).to.deep.equal(['open', 'open']);
    await nat.lab.configure({ expiry: 'reset-at-expiry' });
  });
});
