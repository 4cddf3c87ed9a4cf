import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createNatLab, type NatLab, type NatSettings } from '../../../src/lab/index.js';
import { requireKernelNat } from '../../support/nat.js';
import { collect, MAIN, cleanEnvironment, type CliResult } from '../../integration/cli/run-cli.js';

interface ProbeJson {
  readonly finding: {
    readonly kind: string;
    readonly low: number;
    readonly high: number;
    readonly estimate: number;
    readonly then: string;
    readonly how: string;
    readonly after: number;
    readonly keepaliveHelps: boolean | null;
  };
  readonly settled: boolean;
}

/** A NAT, a server beyond it, and one run of `holdfast probe` from behind it. */
interface Run {
  readonly result: Promise<CliResult>;
  readonly report: Promise<ProbeJson>;
}

/** Half a minute more: all wait for the longest. */
const SLOW = process.env['HOLDFAST_TEST_SLOW'] === '1' || process.env['HOLDFAST_TEST_FULL'] === '1';

describe('holdfast probe, behind a kernel NAT', function () {
  this.timeout(120_000);
  const labs: NatLab[] = [];
  const servers: Server[] = [];
  const accepted: Socket[] = [];

  before(requireKernelNat);
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    for (const socket of accepted.splice(0)) socket.destroy();
    await Promise.all(labs.splice(0).map(lab => lab.close()));
  });

  async function start(
    settings: NatSettings,
    args: readonly string[] = [],
    serve: (socket: Socket) => void = () => undefined,
  ): Promise<Run> {
    const lab = await createNatLab({ ...settings, backend: 'kernel' });
    labs.push(lab);
    const server = createServer(socket => {
      accepted.push(socket);
      serve(socket.on('error', () => undefined).resume());
    });
    servers.push(server);
    lab.inside('server', () => server.listen(0));
    await (server.listening ? undefined : once(server, 'listening'));
    const address = `${lab.serverAddress}:${(server.address() as AddressInfo).port}`;
    const command = [MAIN, 'probe', address, '--json', ...args];
    const child = lab.spawn('client', process.execPath, command, {
      env: cleanEnvironment({}),
      stdio: 'pipe',
    });
    const result = collect(child);
    return { result, report: result.then(({ stdout }) => JSON.parse(stdout) as ProbeJson) };
  }

  const timeouts = SLOW ? [3, 7, 20] : [3, 7];
  it(`finds timeouts of ${timeouts.join(', ')} s within 15 % or one second, of a NAT that drops and one that resets, at the next packet or at once`, async () => {
    // The lab's kernel NAT resets within half a second of expiry: a trial may ask before it does.
    const thens = {
      drop: ['silent'],
      'reset-on-packet': ['reset'],
      'reset-at-expiry': ['reset-at-expiry', 'reset'],
    } as const;
    const expiries = ['drop', 'reset-on-packet', 'reset-at-expiry'] as const;
    const cases = timeouts.flatMap(seconds => expiries.map(expiry => ({ truth: seconds * 1000, expiry })));
    // Each measurement waits more than it works, so all of them wait together.
    const runs = await Promise.all(
      cases.map(({ truth, expiry }) => start({ idleTimeout: truth, expiry }, ['--max', '2m'])),
    );
    for (const [index, { truth, expiry }] of cases.entries()) {
      const { finding, settled } = await at(runs, index).report;
      const shown = `${expiry} after ${truth} ms: ${JSON.stringify(finding)}`;
      expect(finding.kind, shown).to.equal('forgets');
      expect(finding.estimate, shown).to.be.closeTo(truth, Math.max(1000, truth * 0.15));
      expect(finding.then, shown).to.be.oneOf(thens[expiry]);
      expect(finding.keepaliveHelps, shown).to.equal(true);
      expect(settled, shown).to.equal(true);
      expect((await at(runs, index).result).code).to.equal(1);
    }
  });

  const limits = SLOW ? [3, 7] : [3];
  it(`says that the server closed after ${limits.join(', ')} s, by FIN or by reset, where the NAT still keeps the flow`, async () => {
    const closings = {
      fin: (socket: Socket) => socket.end(),
      reset: (socket: Socket) => socket.resetAndDestroy(),
    };
    const cases = limits.flatMap(seconds => [
      { limit: seconds * 1000, how: 'fin' } as const,
      { limit: seconds * 1000, how: 'reset' } as const,
    ]);
    const runs = await Promise.all(
      cases.map(({ limit, how }) =>
        start({ idleTimeout: '1h' }, [], socket => socket.setTimeout(limit, () => closings[how](socket))),
      ),
    );
    for (const [index, { limit, how }] of cases.entries()) {
      const { finding } = await at(runs, index).report;
      const shown = JSON.stringify(finding);
      expect(finding, shown).to.include({ kind: 'server-closes', how });
      expect(finding.after, shown).to.be.within(limit - 300, limit + 2000);
      expect((await at(runs, index).result).code).to.equal(1);
    }
  });

  it('blames the NAT where the server would close later than the NAT forgets', async () => {
    const run = await start({ idleTimeout: '2s', expiry: 'drop' }, ['--max', '1m'], socket =>
      socket.setTimeout(6000, () => socket.end()),
    );
    expect((await run.report).finding).to.include({ kind: 'forgets', then: 'silent' });
  });
});

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`nothing at ${index}`);
  return found;
}
