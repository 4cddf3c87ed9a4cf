import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { until, useNatLab, type NatServer } from '../../support/nat.js';

const REGISTER = new URL('../../../src/register.js', import.meta.url).href;

/** An application without the library: says hello, waits for a word on stdin, speaks again on the same connection. */
const APP = `
const net = require('node:net');
const socket = net.connect(Number(process.env.PORT), process.env.HOST, () => socket.write('hello'));
socket.on('data', chunk => {
  console.log('got ' + chunk);
  if (String(chunk) === 'again') process.exit(0);
});
process.stdin.once('data', () => socket.write('again'));
`;

/** What became of a running application. */
class App {
  output = '';
  code: number | null | undefined;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => (this.output += String(chunk)));
    }
    child.once('close', code => (this.code = code));
  }

  speakAgain(): void {
    this.#child.stdin?.end('go');
  }

  async end(): Promise<void> {
    if (this.code !== undefined) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

for (const expiry of ['reset-on-packet', 'drop'] as const) {
  describe(`an application behind a NAT that forgets after 3 s, ${expiry}`, () => {
    const nat = useNatLab({ idleTimeout: 3000, expiry });

    function start({ host, port }: NatServer, nodeOptions: string[], env: NodeJS.ProcessEnv = {}): App {
      const child = nat.lab.spawn('client', process.execPath, [...nodeOptions, '-e', APP], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '', HOST: host, PORT: String(port), ...env },
      });
      return new App(child);
    }

    it('bare it crashes or hangs; with register it answers; with the write gate alone it learns the truth', async () => {
      const server = nat.serve(peer => peer.on('data', chunk => peer.write(chunk)));
      const register = ['--import', REGISTER];
      const bare = start(server, []);
      const kept = start(server, register, {
        HOLDFAST_KEEPALIVE_IDLE: '1s',
        HOLDFAST_KEEPALIVE_INTERVAL: '1s',
      });
      const gated = start(server, register, {
        HOLDFAST_KEEPALIVE_IDLE: '60s',
        HOLDFAST_PROBE_AFTER_IDLE: '1s',
      });
      const apps = [bare, kept, gated];
      await until('all say hello', () => apps.every(({ output }) => output.includes('got hello')));
      await until('only the hardened one is remembered', async () => {
        const flows = await nat.lab.flows();
        return flows.filter(({ state }) => state === 'ESTABLISHED').length === 1;
      });
      for (const app of apps) app.speakAgain();

      await until('the hardened one ends', () => kept.code !== undefined);
      expect([kept.code, kept.output]).to.deep.equal([0, 'got hello\ngot again\n']);

      await until('the gated one ends', () => gated.code !== undefined);
      expect(gated.code).to.equal(1);
      expect(gated.output).to.match(expiry === 'drop' ? /ETIMEDOUT.*nothing was sent/ : /ECONNRESET/);

      if (expiry === 'drop') expect(bare.code).to.equal(undefined);
      else {
        await until('the bare one ends', () => bare.code !== undefined);
        expect([bare.code, bare.output.includes('ECONNRESET')]).to.deep.equal([1, true]);
      }
      await bare.end();
    });
  });
}
