import { expect } from 'chai';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { requireKernelNat } from '../../support/nat.js';
import { runCli } from '../../integration/cli/run-cli.js';

/** Connects through the NAT, falls silent for as many ms as the argument says, then writes. Exit code 7: it got the echo. */
const CLIENT = `
const { HOLDFAST_LAB_SERVER: host, HOLDFAST_LAB_PORT: port } = process.env;
const socket = require('node:net').connect(Number(port), host, () => {
  console.log('connected from ' + socket.localAddress);
  setTimeout(() => socket.write('hello'), Number(process.argv[1]));
});
socket.on('data', data => { console.log('echo ' + data); process.exit(7); });
socket.on('error', error => { console.log(error.code); process.exit(9); });
`;

describe('holdfast lab, with the kernel NAT', function () {
  this.timeout(60_000);
  let server: Server;
  let address: string;

  before(requireKernelNat);
  before(async () => {
    server = createServer(socket => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  const lab = (
    args: readonly string[],
    options: Parameters<typeof runCli>[1] = {},
  ): ReturnType<typeof runCli> =>
    runCli(['lab', '--backend', 'kernel', '--idle-timeout', '1s', ...args], options);

  it('puts a command behind the NAT, in front of a server of this host, and exits with the command’s code', async () => {
    const { code, stdout, stderr } = await lab([
      '--server',
      address,
      '--',
      process.execPath,
      '-e',
      CLIENT,
      '0',
    ]);
    expect(stdout).to.equal('connected from 10.77.1.2\necho hello\n');
    expect(stderr).to.include(`lab: ${address} is at 10.77.2.2:${address.split(':')[1] ?? ''}`);
    expect(stderr).to.match(/\[lab +\+\d+\.\d\ds\] flow +10\.77\.1\.2:\d+ -> 10\.77\.2\.2:\d+/);
    expect(code).to.equal(7);
  });

  it('tells the flow, its eviction and the reset in this order, and the command suffers', async () => {
    const { code, stdout, stderr } = await lab([
      '--server',
      address,
      '--',
      process.execPath,
      '-e',
      CLIENT,
      '2500',
    ]);
    expect(stdout).to.include('ECONNRESET');
    const events = [...stderr.matchAll(/\[lab +\+[\d.]+s\] (\w+)/g)].map(([, event]) => event);
    expect(events).to.deep.equal(['flow', 'evicted', 'reset']);
    expect(stderr).to.include('forgotten after 1s of silence');
    expect(code).to.equal(9);
  });

  it('hands stdin through, and gives a signal’s exit code as a shell does', async () => {
    const echoed = await lab(['--', 'cat'], { input: 'through and through' });
    expect(echoed).to.include({ code: 0, stdout: 'through and through' });
    const killed = await lab(['--', 'sh', '-c', 'kill -TERM $$']);
    expect(killed.code).to.equal(143);
  });

  it('forwards SIGTERM, waits for the command and leaves no process behind', async () => {
    const script = `process.on('SIGTERM', () => { console.log('parting'); process.exit(5); });
      setInterval(() => {}, 1000); console.log(process.pid);`;
    let pid = 0;
    const { code, stdout } = await lab(['--', process.execPath, '-e', script], {
      meanwhile: child => {
        child.stdout?.once('data', (text: string) => {
          pid = Number(text);
          child.kill('SIGTERM');
        });
      },
    });
    expect(stdout).to.equal(`${pid}\nparting\n`);
    expect(code).to.equal(5);
    expect(() => process.kill(pid, 0)).to.throw('ESRCH');
  });

  it('exits with 127 where there is no such command', async () => {
    expect((await lab(['--', 'no-such-command-here'])).code).to.equal(127);
  });

  it('tells the command where the server side is', async () => {
    const { code, stdout } = await lab([
      '--server',
      address,
      '--',
      process.execPath,
      '-e',
      'console.log(process.env.HOLDFAST_LAB_SERVER)',
    ]);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '10.77.2.2\n' });
  });
});
