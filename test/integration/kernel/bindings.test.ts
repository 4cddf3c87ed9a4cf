import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Holdfast, type AppliedSettings, type BackendName } from '../../../src/index.js';
import { nodeSetsIntervalAndCount } from '../../../src/kernel/bindings/node.js';
import { runChild, SRC, SUPPORT } from '../../support/child.js';
import { readKernel } from '../../support/kernel-reader.js';
import { connectPair } from '../../support/pair.js';

const ASKED = { keepalive: { idle: 7000, interval: 3000, count: 4 }, userTimeout: 23_000 };
const HELD = { keepalive: 1, idle: 7, interval: 3, count: 4, userTimeout: 23_000 };

async function withHardened(
  backend: BackendName,
  use: (client: Socket, settings: AppliedSettings) => void | Promise<void>,
): Promise<void> {
  const pair = await connectPair();
  const { settings } = new Holdfast({ ...ASKED, backend }).harden(pair.client);
  try {
    if (settings === undefined) throw new Error('no settings on a connected socket');
    await use(pair.client, settings);
  } finally {
    await pair.close();
  }
}

describe('kernel values', () => {
  for (const backend of ['auto', 'koffi', 'net-keepalive'] as const) {
    it(`are what was asked for with the ${backend} backend`, () =>
      withHardened(backend, client => void expect(readKernel(client)).to.deep.equal(HELD)));
  }

  for (const backend of ['auto', 'koffi'] as const) {
    it(`are read back and reported with the ${backend} backend`, () =>
      withHardened(backend, (_client, settings) => {
        expect(settings).to.deep.equal({
          keepalive: { requested: true, effective: true, binding: 'koffi', reason: undefined },
          idle: { requested: 7000, effective: 7000, binding: 'koffi', reason: undefined },
          interval: { requested: 3000, effective: 3000, binding: 'koffi', reason: undefined },
          count: { requested: 4, effective: 4, binding: 'koffi', reason: undefined },
          userTimeout: { requested: 23_000, effective: 23_000, binding: 'koffi', reason: undefined },
        });
      }));
  }

  it('are reported as set but not read back with the net-keepalive backend', () =>
    withHardened('net-keepalive', (_client, settings) => {
      for (const report of Object.values(settings) as AppliedSettings['idle'][]) {
        expect(report).to.deep.include({ binding: 'net-keepalive', effective: undefined });
        expect(report.reason).to.match(/not read back/);
      }
    }));

  it('are as far as this Node goes with the node backend, and the report says how far', () =>
    withHardened('node', (client, settings) => {
      const able = nodeSetsIntervalAndCount();
      expect(readKernel(client)).to.deep.equal({
        ...HELD,
        ...(able ? {} : { interval: 1, count: 10 }),
        userTimeout: 0,
      });
      expect(settings.idle).to.deep.include({ binding: 'node', effective: undefined });
      expect(settings.interval.binding).to.equal(able ? 'node' : undefined);
      expect(settings.interval.reason).to.match(able ? /not read back/ : /24\.19 or 26\.4/);
      expect(settings.userTimeout?.binding).to.equal(undefined);
      expect(settings.userTimeout?.reason).to.match(/Node has no setter for TCP_USER_TIMEOUT/);
    }));

  it('leave TCP_USER_TIMEOUT alone when userTimeout is false', async () => {
    const pair = await connectPair();
    const { settings } = new Holdfast({ userTimeout: false }).harden(pair.client);
    expect(readKernel(pair.client).userTimeout).to.equal(0);
    expect(settings).to.not.have.property('userTimeout');
    await pair.close();
  });

  it('are seen by another process too', async function () {
    await withHardened('auto', async client => {
      const ss = spawn('ss', ['-tnoH', `sport = :${client.localPort ?? 0}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let out = '';
      ss.stdout.on('data', chunk => (out += String(chunk)));
      const ran = await Promise.race([
        once(ss, 'close').then(() => true),
        once(ss, 'error').then(() => false),
      ]);
      if (!ran) {
        this.test!.title += ' (skipped: ss of iproute2 is missing)';
        this.skip();
      }
      // The time left to the next keepalive: 7 s, or a little less by now.
      const left = /timer:\(keepalive,(?:(\d+)\.\d+|(\d+))?(sec|ms)/.exec(out);
      expect(left, out).to.not.equal(null);
      expect(left?.[3] === 'ms' ? 0 : Number(left?.[1] ?? left?.[2])).to.be.within(0, 7);
    });
  });
});

describe('bindings in workers', () => {
  const workerScript = (backend: string): string => `
    import { Worker } from 'node:worker_threads';
    const code = ${JSON.stringify(`
      (async () => {
        const { Holdfast } = await import('${SRC}index.js');
        const { readKernel } = await import('${SUPPORT}kernel-reader.js');
        const net = await import('node:net');
        const { parentPort } = await import('node:worker_threads');
        const server = net.createServer(peer => peer.on('error', () => {})).listen(0, '127.0.0.1', () => {
          const socket = net.connect(server.address().port, '127.0.0.1', () => {
            new Holdfast({ keepalive: { idle: 7000, interval: 3000, count: 4 }, userTimeout: 23000, backend: '${backend}' }).harden(socket);
            parentPort.postMessage(readKernel(socket));
            socket.destroy();
            server.close();
          });
        });
      })();
    `)};
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(code, { eval: true });
      worker.on('message', message => console.log(JSON.stringify(message)));
      await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    }
    console.log('survived');
  `;

  for (const backend of ['koffi', 'net-keepalive'] as const) {
    it(`set the values with ${backend}, and the process outlives the worker`, async () => {
      const { code, signal, stdout, stderr } = await runChild(workerScript(backend));
      expect({ code, signal }, stderr).to.deep.equal({ code: 0, signal: null });
      const lines = stdout.trim().split('\n');
      expect(lines.at(-1)).to.equal('survived');
      expect(lines.slice(0, -1).map(line => JSON.parse(line) as unknown)).to.deep.equal([HELD, HELD, HELD]);
    });
  }
});
