import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The names DESIGN promises; a name that goes missing breaks users. */
const PUBLIC_NAMES = [
  'Holdfast',
  'HoldfastError',
  'connect',
  'createReconnectingSocket',
  'harden',
  'optionsFromEnv',
  'presets',
  'probe',
  'readTcpInfo',
  'retryNeverSent',
  'sweep',
  'verdictOf',
];

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

describe('the published package, installed in an empty folder', function () {
  this.timeout(180_000);
  let folder: string;
  let packed: Packed;

  function run(command: string, args: readonly string[]): string {
    return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'));
    const out = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    packed = (JSON.parse(out) as Packed[])[0]!;
    writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}\n');
    run('npm', ['install', '--no-audit', '--no-fund', join(folder, packed.filename)]);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what a user needs and nothing of the workshop', () => {
    const paths = packed.files.map(file => file.path);
    for (const needed of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
    ]) {
      expect(paths).to.include(needed);
    }
    const foreign = paths.filter(path => /^(test|bench|scripts|src|examples|\.)/.test(path));
    expect(foreign).to.deep.equal([]);
  });

  it('declares an entry with types for every path it exports', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string; default: string } | string>;
    };
    const paths = new Set(packed.files.map(file => `./${file.path}`));
    for (const entry of Object.values(exports)) {
      if (typeof entry === 'string') continue;
      expect(paths.has(entry.types), entry.types).to.equal(true);
      expect(paths.has(entry.default), entry.default).to.equal(true);
    }
  });

  it('gives its public names to import', () => {
    const code = "import('holdfast').then(m => console.log(JSON.stringify(Object.keys(m).sort())))";
    expect(JSON.parse(run(process.execPath, ['-e', code]))).to.include.members(PUBLIC_NAMES);
  });

  it('gives the same names to require', () => {
    const args = process.versions.node.startsWith('20.') ? ['--no-warnings'] : [];
    const code = "console.log(JSON.stringify(Object.keys(require('holdfast')).sort()))";
    const names = JSON.parse(
      run(process.execPath, [...args, '--input-type=commonjs', '-e', code]),
    ) as string[];
    expect(names).to.include.members(PUBLIC_NAMES);
  });

  it('type-checks in a strict project', () => {
    mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
    symlinkSync(join(root, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'));
    symlinkSync(join(root, 'node_modules', 'undici-types'), join(folder, 'node_modules', 'undici-types'));
    writeFileSync(
      join(folder, 'consumer.ts'),
      `import net from 'node:net';
import { harden, connect, verdictOf, retryNeverSent, createReconnectingSocket, type Guard, type Verdict } from 'holdfast';
import { createNatLab } from 'holdfast/lab';
const guard: Guard = harden(new net.Socket(), { keepalive: { idle: '30s' }, probeAfterIdle: false });
const verdict: Verdict | undefined = verdictOf(new Error('x')) ?? guard.verdict;
const stream = createReconnectingSocket({ host: 'h', port: 1, resume: async ({ socket, generation, verdict, uncertain }) => {
  socket.write(String(generation) + verdict.cause + String(uncertain.bytes));
} });
stream.on('resumed', ({ downtime, generation }) => console.log(downtime + generation));
stream.on('suspended', event => console.log(event.verdict.delivery));
export const all = [verdict, connect({ port: 1, tls: true }), retryNeverSent(async () => 1), createNatLab];
// @ts-expect-error a duration is no boolean
harden(new net.Socket(), { keepalive: { idle: true } });
`,
    );
    const options = [
      '--strict',
      '--noEmit',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      '--skipLibCheck',
      'false',
    ];
    run(process.execPath, [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      ...options,
      'consumer.ts',
    ]);
  });

  it('brings the holdfast command', () => {
    const report = JSON.parse(
      run(join(folder, 'node_modules', '.bin', 'holdfast'), ['doctor', '--json']),
    ) as unknown;
    expect(report).to.be.an('object');
  });
});
