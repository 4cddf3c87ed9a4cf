import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { runCli, type CliResult } from './run-cli.js';

interface DoctorJson {
  readonly settings: Record<
    string,
    { requested: unknown; effective: unknown; binding: unknown; reason: unknown }
  >;
  readonly connection: {
    connected: boolean;
    probe: { alive: boolean; rtt: number };
    roundTrip: number;
  } | null;
  readonly environment: { variables: object; problems: { key: string }[]; options: { keepalive: object } };
  readonly advice: { level: string; text: string }[];
}

/** A certificate for one test, which no authority vouches for. */
function selfSigned(): { readonly key: Buffer; readonly cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-doctor-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const parse = ({ stdout }: CliResult): DoctorJson => JSON.parse(stdout) as DoctorJson;

describe('holdfast doctor', () => {
  let server: Server;
  let address: string;

  before(async () => {
    server = createServer(socket => socket.on('error', () => undefined).resume());
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it('prints JSON of a stable shape', async () => {
    const result = await runCli(['doctor', '--json']);
    const report = parse(result);
    expect(report).to.have.all.keys(
      ...['schema', 'command', 'version', 'target', 'capabilities', 'defaults'],
      ...['environment', 'settings', 'connection', 'advice'],
    );
    expect(report).to.include({ schema: 1, command: 'doctor', target: null, connection: null });
    expect(result.code).to.equal(report.advice.some(({ level }) => level === 'problem') ? 1 : 0);
  });

  it('finds effective what was requested, on a connection to a server, and its path alive', async () => {
    const env = {
      HOLDFAST_KEEPALIVE_IDLE: '20s',
      HOLDFAST_KEEPALIVE_INTERVAL: '5s',
      HOLDFAST_KEEPALIVE_COUNT: '4',
    };
    const result = await runCli(['doctor', address, '--json'], { env });
    const { settings, connection, environment } = parse(result);
    expect(environment.variables).to.deep.equal(env);
    expect(Object.keys(settings)).to.deep.equal(['keepalive', 'idle', 'interval', 'count', 'userTimeout']);
    for (const [name, { requested, effective, reason }] of Object.entries(settings)) {
      expect(effective, name).to.equal(requested);
      expect(reason, name).to.equal(null);
    }
    expect(settings).to.have.nested.property('idle.effective', 20_000);
    expect(connection).to.deep.include({ connected: true });
    expect(connection?.probe.alive).to.equal(true);
    expect(connection?.probe.rtt).to.be.a('number');
    expect(result.code).to.equal(0);
  });

  it('shows a person the same', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', address]);
    expect(stdout).to.match(/TCP_USER_TIMEOUT +1m +1m +koffi +ok/);
    expect(stdout).to.include('a keepalive probe: answered within').and.to.include('this is loopback');
    expect(stdout).to.not.include('\u001b');
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
  });

  it('lists every problem of the environment and exits with 1, showing no other variable', async () => {
    const env = { HOLDFAST_KEEPALIVE_IDLE: '30', HOLDFAST_PRESTE: 'hunter2', DATABASE_PASSWORD: 'hunter3' };
    const result = await runCli(['doctor', '--json'], { env });
    expect(parse(result).environment.problems.map(({ key }) => key)).to.have.members([
      'keepalive.idle',
      'HOLDFAST_PRESTE',
    ]);
    expect(result.stdout).to.not.match(/hunter/);
    expect(result.code).to.equal(1);
  });

  it('reaches a server by IPv6', async function () {
    const server = createServer(socket => socket.on('error', () => undefined).resume());
    const listening = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false)).listen(0, '::1', () => resolve(true));
    });
    if (!listening) return this.skip(); // this machine has no IPv6 loopback
    const { port } = server.address() as AddressInfo;
    const result = await runCli(['doctor', `[::1]:${port}`, '--json']);
    server.close();
    expect(parse(result).connection).to.deep.include({ connected: true, address: '::1' });
    expect(result.code).to.equal(0);
  });

  it('does a TLS handshake and calls a certificate nobody trusts a problem', async () => {
    const server = createTlsServer(selfSigned(), socket => socket.on('error', () => undefined).resume());
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const result = await runCli(['doctor', `127.0.0.1:${port}`, '--tls']);
    server.close();
    expect(result.stdout).to.match(/TLSv1\.[23], certificate DEPTH_ZERO_SELF_SIGNED_CERT/);
    expect(result.stdout).to.include('a keepalive probe: answered within');
    expect(result.code).to.equal(1);
  });

  it('says what is missing where a backend can’t set everything', async () => {
    const { code, stdout } = await runCli(['doctor'], { env: { HOLDFAST_BACKEND: 'node' } });
    expect(stdout).to.match(/problem {2}userTimeout does not hold: no binding can set userTimeout here/);
    expect(stdout).to.include('nothing can be read back');
    expect(code).to.equal(1);
  });

  it('exits with 3 where the server can’t be reached, and still reports', async () => {
    const result = await runCli(['doctor', '127.0.0.1:1', '--json']);
    expect(parse(result).connection).to.deep.include({ connected: false });
    expect(result.code).to.equal(3);
  });
});
