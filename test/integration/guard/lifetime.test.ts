import { expect } from 'chai';
import { runChild, SRC } from '../../support/child.js';

describe('a hardened socket', () => {
  it('leaves nothing in the process when it is closed: 2,000 of them, no listener, no timer, no growth', async () => {
    const { stdout, stderr, code } = await runChild(
      `
      import net from 'node:net';
      import { Holdfast } from '${SRC}index.js';
      const server = net.createServer(peer => { peer.on('error', () => {}); peer.resume(); }).listen(0, '127.0.0.1');
      await new Promise(resolve => server.once('listening', resolve));
      const { port } = server.address();
      const hf = new Holdfast({ heartbeat: { interval: '20s', send: () => 'x' } });
      let listeners = 0;
      // Node's own stay: 'resume' before the connection leaves one.
      const ours = socket => socket.listeners('connect').filter(({ name }) => name === 'onConnect').length;
      const one = n => new Promise(resolve => {
        const socket = net.connect(port, '127.0.0.1');
        const guard = hf.harden(socket);
        socket.on('error', () => {});
        socket.once('connect', () => {
          socket.write('hello');
          if (n % 3 === 0) { guard.release(); socket.destroy(); } else if (n % 3 === 1) socket.end(); else socket.resetAndDestroy();
        });
        socket.resume();
        socket.once('close', () => { listeners += ours(socket); resolve(); });
      });
      const round = async count => {
        for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => one(n + i)));
      };
      const settled = async () => {
        for (let i = 0; i < 6; i++) { await new Promise(r => setTimeout(r, 20)); globalThis.gc(); }
        return process.memoryUsage().heapUsed;
      };
      await round(600);
      await round(1000);
      const before = await settled();
      await round(2000);
      const grown = (await settled()) - before;
      const timers = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
      server.close();
      console.log(JSON.stringify({ grown, timers, listeners }));
      `,
      { nodeOptions: ['--expose-gc'] },
    );
    expect(code, stderr).to.equal(0);
    const { grown, timers, listeners } = JSON.parse(stdout) as Record<string, number>;
    expect(listeners).to.equal(0);
    expect(timers).to.equal(0);
    // 2,000 guards that stayed would be 800 KB, with their sockets 3 MB.
    expect(grown).to.be.below(700_000);
  });

  it('does not hold the process open when it is unref’ed', async () => {
    const { stdout, stderr, code } = await runChild(`
      import net from 'node:net';
      import { Holdfast } from '${SRC}index.js';
      const server = net.createServer(peer => peer.unref()).listen(0, '127.0.0.1');
      server.unref();
      await new Promise(resolve => server.once('listening', resolve));
      const socket = net.connect(server.address().port, '127.0.0.1');
      new Holdfast({ heartbeat: { interval: '20s', send: () => 'x' } }).harden(socket);
      await new Promise(resolve => socket.once('connect', resolve));
      socket.unref();
      console.log('unref');
    `);
    expect(code, stderr).to.equal(0);
    expect(stdout.trim()).to.equal('unref');
  });
});
