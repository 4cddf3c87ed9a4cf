import { expect } from 'chai';
import { createServer, type AddressInfo } from 'node:net';
import { runCli } from './run-cli.js';

const CLIENT = `
const { HOLDFAST_LAB_SERVER: host, HOLDFAST_LAB_PORT: port } = process.env;
const socket = require('node:net').connect(Number(port), host);
setTimeout(() => socket.write('hello'), 1000);
socket.on('data', () => process.exit(7));
socket.on('error', error => { console.log(error.code); process.exit(9); });
`;

describe('holdfast lab, with the emulated NAT', () => {
  const lab = ['lab', '--backend', 'emulated', '--idle-timeout', '200ms'];

  it('says that it can’t be put round a command, and what to do instead', async () => {
    const { code, stderr } = await runCli([...lab, '--', 'true']);
    expect(stderr).to.include('name the server with --server HOST:PORT');
    expect(code).to.equal(125);
  });

  it('prints the route to a server, and forgets the flow of a command that takes it', async () => {
    const server = createServer(socket => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const result = await runCli([...lab, '--server', address, '--', process.execPath, '-e', CLIENT]);
      expect(result.stderr).to.match(new RegExp(`lab: ${address} is at 127\\.0\\.0\\.1:\\d+`));
      expect(result.stderr).to.match(/flow[^]*evicted[^]*reset/);
      expect(result.stdout).to.equal('ECONNRESET\n');
      expect(result.code).to.equal(9);
    } finally {
      server.close();
    }
  });

  it('exits with 127 where there is no such command', async () => {
    const { code, stderr } = await runCli([
      ...lab,
      '--server',
      '127.0.0.1:5432',
      '--',
      'no-such-command-here',
    ]);
    expect(stderr).to.include("can't run no-such-command-here: no such program");
    expect(code).to.equal(127);
  });
});
