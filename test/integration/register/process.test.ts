import { expect } from 'chai';
import { ESM_START, LIBRARY, LOOPBACK, REGISTER, runApp } from './run-app.js';

const WRONG = { HOLDFAST_TARGETS: '127.0.0.1', HOLDFAST_KEEPALIVE_IDLE: '30', HOLDFAST_KEEPALIVE_COUNT: '5' };

describe('a process under register', () => {
  it('prints nothing, ends by itself while a hardened socket is unref’ed, and keeps its exit code', async () => {
    const quiet = await runApp(`${ESM_START}
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      accepted[0] ?? await once(server, 'connection');
      for (const each of [socket, server, ...accepted]) each.unref();
      process.exitCode = 7;
    `);
    expect([quiet.code, quiet.stdout, quiet.stderr]).to.deep.equal([7, '', '']);
    const idle = await runApp('process.exitCode = 3;', { env: {} });
    expect([idle.code, idle.stdout, idle.stderr]).to.deep.equal([3, '', '']);
  });

  it('warns once of wrong variables, and runs with the others', async () => {
    const { code, said, stderr } = await runApp(
      `${ESM_START}
      import { Worker } from 'node:worker_threads';
      await once(new Worker('', { eval: true }), 'exit');
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const { idle, count } = readKernel(socket);
      say({ idle, count });
      socket.destroy();
      end();
    `,
      { env: WRONG },
    );
    expect(code).to.equal(0);
    expect(said).to.deep.equal([{ idle: 30, count: 5 }]);
    expect(stderr.match(/HoldfastWarning/g)).to.have.length(1);
    expect(stderr).to.match(/HOLDFAST_KEEPALIVE_IDLE.*30 means 30 ms; write 30s/);
    expect(stderr).to.include('holdfast runs without HOLDFAST_KEEPALIVE_IDLE');
  });

  it('goes on with the default targets where HOLDFAST_TARGETS is wrong', async () => {
    const { code, said, stderr } = await runApp(
      `${ESM_START}
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      say([look(socket)]);
      socket.destroy();
      end();
    `,
      { env: { HOLDFAST_TARGETS: '127.0.0.1:70000' } },
    );
    expect(code).to.equal(0);
    expect(said).to.deep.equal([[7200]]);
    expect(stderr).to.include("'70000' is not a port");
  });

  it('does not start with a wrong variable under HOLDFAST_STRICT, and says why in one message', async () => {
    const { code, stdout, stderr } = await runApp("console.log('started')", {
      env: { ...WRONG, HOLDFAST_STRICT: 'true', HOLDFAST_LERN: '1' },
    });
    expect(code).to.equal(1);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/^holdfast\/register: 2 wrong options:\n {2}\S.*\n {2}\S.*\n$/);
    expect(stderr).to.include('HOLDFAST_LERN').and.to.include('HOLDFAST_KEEPALIVE_IDLE');
  });

  it('lets an unheard error end the application as it would without', async () => {
    const crash = `${ESM_START}
      const socket = net.connect(port, '127.0.0.1');
      await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
      accepted[0].resetAndDestroy();
      server.close();
    `;
    const [bare, registered] = await Promise.all([runApp(crash, { nodeOptions: [] }), runApp(crash)]);
    expect(bare.code).to.equal(1);
    expect(registered.code).to.equal(1);
    expect(registered.stderr).to.include('ECONNRESET');
  });

  it('gives the errors of sockets their verdicts', async () => {
    const { said } = await runApp(`${ESM_START}
      import { verdictOf } from '${LIBRARY}';
      const refused = net.connect(1, '127.0.0.1');
      const [error] = await once(refused, 'error');
      const { cause, delivery } = verdictOf(error);
      say({ cause, delivery });
      end();
    `);
    expect(said).to.deep.equal([{ cause: 'refused', delivery: 'never-sent' }]);
  });

  it('loads nothing native, and none of the library, before the first socket that is a target', async () => {
    const { said } = await runApp(
      `${ESM_START.replace(/.*kernel-reader.*\n/, '').replace(/const look.*\n/, '')}
      const loaded = () => process.report.getReport().sharedObjects.filter(each => each.includes('koffi')).length;
      const before = loaded();
      const plain = net.connect(port, '127.0.0.1');
      await once(plain, 'connect');
      const after = loaded();
      plain.destroy();
      say({ before, after });
      end();
    `,
      { env: {} },
    );
    expect(said).to.deep.equal([{ before: 0, after: 0 }]);
  });

  it('works when it is registered twice', async () => {
    const { said, stderr } = await runApp(
      `${ESM_START}
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      say([look(socket)]);
      socket.destroy();
      end();
    `,
      { env: { ...LOOPBACK, NODE_OPTIONS: `--import ${REGISTER}` } },
    );
    expect(stderr).to.equal('');
    expect(said).to.deep.equal([[41]]);
  });
});
