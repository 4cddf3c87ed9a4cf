import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until, useNatLab } from '../../support/nat.js';
import type { KernelValues } from '../../support/kernel-reader.js';

const REGISTER = ['--import', new URL('../../../src/register.js', import.meta.url).href];
const APPLICATION = fileURLToPath(new URL('./applications/tedious-dialling.js', import.meta.url));

type Told = KernelValues & { readonly localPort: number };

/*
 * A driver without a server to be had for these tests. What register does for its socket can be seen all the same:
 * tedious sets keepalive itself before it sends the first bytes, and then waits for an answer.
 */
describe('tedious behind a NAT that forgets after 3 s, at a server that accepts and says nothing', () => {
  const nat = useNatLab({ idleTimeout: '3s' });

  it('has the keepalive asked of register, which its own call of 30 s does not undo, and its flow lives on', async () => {
    const greetings = new Set<number>();
    const server = nat.serve(socket => socket.once('data', () => greetings.add(socket.remotePort ?? 0)));
    const start = (nodeOptions: string[], env: NodeJS.ProcessEnv): Dialling =>
      new Dialling(
        nat.lab.spawn('client', process.execPath, [...nodeOptions, APPLICATION], {
          stdio: ['pipe', 'pipe', 'pipe'],
          env: {
            ...process.env,
            NODE_OPTIONS: '',
            LAB_URL: `tds://${server.host}:${server.port}`,
            ...env,
          },
        }),
      );
    const bare = start([], {});
    const kept = start(REGISTER, { HOLDFAST_KEEPALIVE_IDLE: '1s', HOLDFAST_KEEPALIVE_INTERVAL: '1s' });
    try {
      await until('both have sent their first bytes', () => greetings.size === 2);
      const [told, toldByKept] = await Promise.all([bare.tells(), kept.tells()]);
      expect(told).to.include({ keepalive: 1, idle: 30, userTimeout: 0 });
      expect(toldByKept).to.include({ keepalive: 1, idle: 1, interval: 1, count: 3, userTimeout: 4000 });
      await until('the NAT forgets the bare one alone', async () => {
        const flows = (await nat.lab.flows()).filter(({ state }) => state === 'ESTABLISHED');
        return flows.length === 1 && flows[0]?.client.endsWith(`:${toldByKept.localPort}`) === true;
      });
      expect([bare.stderr, kept.stderr]).to.deep.equal(['', '']);
    } finally {
      await Promise.all([bare.end(), kept.end()]);
    }
  });
});

class Dialling {
  stderr = '';
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.on('data', chunk => (this.stderr += String(chunk)));
  }

  async tells(): Promise<Told> {
    const { stdin, stdout } = this.#child;
    if (stdin === null || stdout === null) throw new Error('started without pipes');
    stdin.write('what?');
    const [line] = (await once(stdout, 'data')) as [Buffer];
    return JSON.parse(line.toString()) as Told;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}
