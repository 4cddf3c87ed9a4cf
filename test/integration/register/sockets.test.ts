import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { ESM_START, LIBRARY, LOOPBACK, REGISTER, runApp } from './run-app.js';

/** 41 seconds are asked for; the kernel's own default is 7200. */
const HARDENED = 41;

const READER = new URL('../../support/kernel-reader.js', import.meta.url).href;

/** Connects, and tells what the kernel holds, in the way given. */
const connectAnd = (tell: string, port: string): string => `
  const socket = net.connect(${port}, '127.0.0.1', () => import(process.env.READER).then(({ readKernel }) => {
    ${tell}(readKernel(socket).idle);
    socket.destroy();
  }));`;

/** Reads its own socket, one of each kind of worker, and one of a child process. */
const COMMONJS_APP = `
  const net = require('node:net');
  const { Worker } = require('node:worker_threads');
  const { execFile } = require('node:child_process');
  const server = net.createServer(peer => peer.on('error', () => {}).resume()).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const asModule = "import net from 'node:net'; import { parentPort, workerData } from 'node:worker_threads';"
      + ${JSON.stringify(connectAnd('parentPort.postMessage.bind(parentPort)', 'workerData'))};
    const asString = "const net = require('net'); const { parentPort, workerData } = require('worker_threads');"
      + ${JSON.stringify(connectAnd('parentPort.postMessage.bind(parentPort)', 'workerData'))};
    const asChild = "const net = require('net');" + ${JSON.stringify(connectAnd('console.log', 'process.env.PORT'))};
    const make = {
      module: () => new Worker(new URL('data:text/javascript,' + encodeURIComponent(asModule)), { workerData: port }),
      string: () => new Worker(asString, { workerData: port, eval: true }),
    };
    const tell = async main => {
      const workers = await Promise.all(JSON.parse(process.env.KINDS)
        .map(kind => new Promise(resolve => make[kind]().once('message', resolve))));
      const env = { ...process.env, PORT: String(port) };
      execFile(process.execPath, ['-e', asChild], { env }, (error, stdout, stderr) => {
        console.log(JSON.stringify({ main, workers, child: error?.message ?? stdout.trim() + stderr }));
        server.close();
      });
    };
    ${connectAnd('tell', 'port')}
  });
`;

describe('under register', () => {
  it('every way to make a TCP or TLS socket gives a hardened one, whatever is called later', async () => {
    const { said, stderr, code } = await runApp(`${ESM_START}
      import https from 'node:https';
      const found = {};
      const plain = net.connect(port, '127.0.0.1');
      await once(plain, 'connect');
      found.connect = look(plain);
      plain.setKeepAlive(true, 5000);
      found.afterSetKeepAlive = look(plain);
      const made = new net.Socket().connect({ port, host: '127.0.0.1', keepAlive: true, keepAliveInitialDelay: 9000 });
      await once(made, 'connect');
      found.construct = look(made);
      const secure = tls.createServer(certificate, peer => peer.on('error', () => {}).resume());
      secure.listen(0, '127.0.0.1');
      await once(secure, 'listening');
      const direct = tls.connect({ port: secure.address().port, host: '127.0.0.1', ca: certificate.cert });
      await once(direct, 'secureConnect');
      found.tls = look(direct);
      const web = http.createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');
      await once(web, 'listening');
      const agent = new http.Agent({ keepAlive: true });
      const get = () => new Promise((resolve, reject) => http
        .get({ agent, port: web.address().port, host: '127.0.0.1' }, response => {
          const { socket } = response;
          response.resume().on('end', () => resolve(socket));
        }).on('error', reject));
      const first = await get();
      await new Promise(resolve => setImmediate(resolve));
      const second = await get();
      found.agentReuses = first === second;
      found.agent = look(second);
      const clients = () => process._getActiveHandles()
        .filter(each => each instanceof net.Socket && each.remotePort === web.address().port && each !== first);
      found.fetched = await (await fetch('http://127.0.0.1:' + web.address().port)).text();
      found.fetch = clients().map(look);
      say(found);
      process.exit(0);
    `);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(said).to.deep.equal([
      {
        connect: HARDENED,
        afterSetKeepAlive: HARDENED,
        construct: HARDENED,
        tls: HARDENED,
        agentReuses: true,
        agent: HARDENED,
        fetched: 'ok',
        fetch: [HARDENED],
      },
    ]);
  });

  it('settings hold by the time the first listener of connect runs, on the first socket too', async () => {
    const { said } = await runApp(`${ESM_START}
      const socket = new net.Socket();
      socket.prependListener('connect', () => { say([look(socket)]); socket.destroy(); end(); });
      socket.connect(port, '127.0.0.1');
    `);
    expect(said).to.deep.equal([[HARDENED]]);
  });

  it('a STARTTLS upgrade is hardened and its raw socket stays so, and the server’s side is left alone', async () => {
    const { said, stderr } = await runApp(`${ESM_START}
      import { verdictOf } from '${LIBRARY}';
      const upgrading = net.createServer(peer => peer.on('error', () => {}).once('data', () => {
        peer.write('go');
        const secure = new tls.TLSSocket(peer, { isServer: true, ...certificate });
        secure.on('error', () => {}).resume();
        upgrading.peer = secure;
      }));
      upgrading.listen(0, '127.0.0.1');
      await once(upgrading, 'listening');
      const raw = net.connect(upgrading.address().port, '127.0.0.1');
      raw.write('STARTTLS');
      await once(raw, 'data');
      const secure = tls.connect({ socket: raw, ca: certificate.cert, host: 'localhost' });
      await once(secure, 'secureConnect');
      secure.setKeepAlive(true, 5000);
      const { socket } = { socket: upgrading.peer };
      say({ client: look(secure), server: look(socket) });
      secure.on('error', () => {});
      socket.destroy();
      await once(secure, 'close');
      say({ verdict: verdictOf(secure)?.cause });
      upgrading.close();
      end();
    `);
    expect(stderr).to.equal('');
    expect(said).to.deep.equal([{ client: HARDENED, server: 7200 }, { verdict: 'peer-closed' }]);
  });

  it('Unix sockets, accepted sockets and peers that are no target are untouched', async () => {
    const { said, stderr } = await runApp(
      `${ESM_START}
      import { mkdtempSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      import { join } from 'node:path';
      const isCovered = socket => Object.hasOwn(socket, '_destroy');
      const path = join(mkdtempSync(join(tmpdir(), 'holdfast-unix-')), 's');
      const unix = net.createServer(peer => peer.resume()).listen(path);
      await once(unix, 'listening');
      const local = net.connect(path);
      await once(local, 'connect');
      const hardened = net.connect(port, '127.0.0.1');
      await Promise.all([once(hardened, 'connect'), once(server, 'connection')]);
      const other = net.connect(port, '127.0.0.2');
      other.on('error', () => {});
      const named = net.connect({ port, host: 'somewhere.example', family: 4, lookup: (name, options, done) =>
        options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4) });
      await once(named, 'connect');
      const listened = net.createServer().listen(0, '127.0.0.2');
      await once(listened, 'listening');
      const excluded = net.connect(listened.address().port, '127.0.0.2');
      await once(excluded, 'connect');
      say({
        unix: isCovered(local), hardened: look(hardened), accepted: [isCovered(accepted[0]), look(accepted[0])],
        excluded: [isCovered(excluded), look(excluded)], excludedName: [isCovered(named), look(named)],
      });
      process.exit(0);
    `,
      { env: { ...LOOPBACK, HOLDFAST_TARGETS: '127.0.0.0/8,!127.0.0.2,!somewhere.example' } },
    );
    expect(stderr).to.equal('');
    expect(said).to.deep.equal([
      {
        unix: false,
        hardened: HARDENED,
        accepted: [false, 7200],
        excluded: [false, 7200],
        excludedName: [false, 7200],
      },
    ]);
  });

  it('by default loopback is left alone, also where a name leads there', async () => {
    const { said, stderr } = await runApp(
      `${ESM_START}
      const named = net.connect({ port, host: 'db.example', family: 4, keepAlive: true, keepAliveInitialDelay: 9000,
        lookup: (name, options, done) =>
          options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4) });
      await once(named, 'connect');
      const plain = net.connect(port);
      await once(plain, 'connect');
      say([look(named), look(plain), Object.hasOwn(named, '_destroy')]);
      named.destroy();
      plain.destroy();
      end();
    `,
      { env: {} },
    );
    expect(stderr).to.equal('');
    expect(said).to.deep.equal([[9, 7200, false]]);
  });

  for (const [flag, kinds] of [
    // Node runs no --import in a worker made of a string of CommonJS; --require it does.
    ['--import', ['module']],
    ['--require', ['module', 'string']],
  ] as const) {
    it(`${flag} in NODE_OPTIONS covers CommonJS applications, worker threads and child processes`, async () => {
      const { said, stderr, code } = await runApp(COMMONJS_APP, {
        extension: 'cjs',
        nodeOptions: [],
        env: {
          ...LOOPBACK,
          READER,
          KINDS: JSON.stringify(kinds),
          NODE_OPTIONS: `${flag} ${fileURLToPath(REGISTER)}`,
        },
      });
      expect(stderr).to.equal('');
      expect(code).to.equal(0);
      expect(said).to.deep.equal([
        { main: HARDENED, workers: kinds.map(() => HARDENED), child: String(HARDENED) },
      ]);
    });
  }

  it('shares its instance with the application’s own imports: sweep() sees its sockets, harden() wins over it', async () => {
    const { said, stderr } = await runApp(`${ESM_START}
      import { Holdfast, harden, sweep } from '${LIBRARY}';
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const own = new Holdfast({ keepalive: { idle: '17s' } });
      const events = [];
      own.on('died', ({ verdict }) => events.push(verdict.cause));
      const mine = own.connect({ port, host: '127.0.0.1' });
      await once(mine, 'connect');
      say([look(socket), look(mine)]);
      socket.write('x');
      await once(socket, 'data');
      await new Promise(resolve => setTimeout(resolve, 1100));
      say(await sweep());
      mine.destroy();
      say(events);
      socket.destroy();
      end();
    `);
    expect(stderr).to.equal('');
    expect(said).to.deep.equal([[HARDENED, 17], { probed: 1, alive: 1, dead: 0 }, ['local-close']]);
  });

  it('a socket that is used again after its end is hardened again', async () => {
    const { said } = await runApp(`${ESM_START}
      const socket = new net.Socket();
      for (let round = 0; round < 2; round++) {
        socket.connect(port, '127.0.0.1');
        await once(socket, 'connect');
        say([look(socket)]);
        socket.destroy();
        await once(socket, 'close');
      }
      end();
    `);
    expect(said).to.deep.equal([[HARDENED], [HARDENED]]);
  });

  it('an application whose imports connect while it is still importing the library works all the same', async () => {
    const connecting = `data:text/javascript,${encodeURIComponent(`
      import net from 'node:net';
      const server = net.createServer(peer => peer.on('error', () => {}).resume()).listen(0, '127.0.0.1');
      await new Promise(resolve => server.once('listening', resolve));
      export const socket = net.connect(server.address().port, '127.0.0.1');
      await new Promise(resolve => socket.once('connect', resolve));
      export const end = () => { socket.destroy(); server.close(); };
    `)}`;
    const { said, stderr, code } = await runApp(`
      import { end, socket } from ${JSON.stringify(connecting)};
      import { sweep } from '${LIBRARY}';
      import { readKernel } from '${READER}';
      console.log(JSON.stringify([readKernel(socket).idle, await sweep()]));
      end();
    `);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(said).to.deep.equal([[HARDENED, { probed: 0, alive: 0, dead: 0 }]]);
  });
});
