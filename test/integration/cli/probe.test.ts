import { expect } from 'chai';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { runCli, type CliResult } from './run-cli.js';

interface ProbeJson {
  readonly finding: { kind: string; after: number; survived: number; how: string; reason: string };
  readonly interrupted: boolean;
  readonly settled: boolean;
  readonly trials: { fate: string }[];
  readonly recommendation: { environment: string[] };
}

const parse = ({ stdout }: CliResult): ProbeJson => JSON.parse(stdout) as ProbeJson;

/** A server on loopback; its connections are given to `serve`. */
async function listen(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer(socket => serve(socket.on('error', () => undefined).resume()));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('holdfast probe, on loopback', () => {
  const servers: Server[] = [];
  async function serve(handler: (socket: Socket) => void): Promise<string> {
    const server = await listen(handler);
    servers.push(server);
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('loses nothing up to --max, needs no protocol, and never opens more connections than it may', async () => {
    let [open, mostOpen, received] = [0, 0, 0];
    const address = await serve(socket => {
      mostOpen = Math.max(mostOpen, ++open);
      socket.write('220 welcome\r\n');
      socket.on('data', chunk => (received += chunk.length)).on('close', () => open--);
    });
    const result = await runCli(['probe', address, '--max', '2s', '--connections', '5', '--json']);
    const { finding, settled, trials } = parse(result);
    expect(finding.kind).to.equal('remembers');
    expect(finding.survived).to.be.at.least(2000);
    expect(settled).to.equal(true);
    expect(trials.map(({ fate }) => fate)).to.deep.equal(['survived', 'survived', 'survived', 'survived']);
    expect(mostOpen).to.equal(5);
    expect(received).to.equal(0);
    expect(result.code).to.equal(0);
  });

  it('tells a server’s FIN and a server’s reset, and says that the server closed', async () => {
    const [fin, reset] = await Promise.all([
      serve(socket => socket.setTimeout(2000, () => socket.end('bye\r\n'))),
      serve(socket => socket.setTimeout(2000, () => socket.resetAndDestroy())),
    ]);
    const results = await Promise.all(
      [fin, reset].map(address => runCli(['probe', address, '--max', '60s', '--json'])),
    );
    for (const [index, result] of results.entries()) {
      const { finding } = parse(result);
      expect(finding).to.include({ kind: 'server-closes', how: index === 0 ? 'fin' : 'reset' });
      expect(finding.after).to.be.within(1700, 4000);
      expect(result.code).to.equal(1);
    }
  });

  it('gives up on a server that never falls silent', async () => {
    const address = await serve(socket => {
      const timer = setInterval(() => socket.write('.'), 100);
      socket.on('close', () => clearInterval(timer));
    });
    const result = await runCli(['probe', address, '--max', '2s', '--connections', '4', '--json']);
    expect(parse(result).finding).to.deep.equal({
      kind: 'unclear',
      reason: 'the server does not fall silent',
    });
    expect(result.code).to.equal(4);
  });

  it('gives up on a server that ends every connection at once', async () => {
    const address = await serve(socket => void socket.end());
    const result = await runCli(['probe', address, '--connections', '4']);
    expect(result.stdout).to.include('the server ended the connection at once');
    expect(result.code).to.equal(4);
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`prints what is known by then on ${signal}, and exits with ${exitCode}`, async () => {
      const address = await serve(() => undefined);
      const result = await runCli(['probe', address, '--max', '1h', '--json'], {
        meanwhile: child => {
          let told = '';
          child.stderr?.on('data', (text: string) => {
            const before = told;
            told += text;
            // Once, when the first trial has ended.
            if (told.includes('1s survived') && !before.includes('1s survived')) child.kill(signal);
          });
        },
      });
      const { interrupted, settled, finding } = parse(result);
      expect({ interrupted, settled }).to.deep.equal({ interrupted: true, settled: false });
      expect(finding.kind).to.equal('remembers');
      expect(result.code).to.equal(exitCode);
    });
  }
});
