import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What an application of these tests imports; it knows nothing of the library itself. */
export const REGISTER = new URL('../../../src/register.js', import.meta.url).href;
export const LIBRARY = new URL('../../../src/index.js', import.meta.url).href;
/** Loopback is not a target unless it is named. */
export const LOOPBACK = { HOLDFAST_TARGETS: '127.0.0.1', HOLDFAST_KEEPALIVE_IDLE: '41s' };

const READER = new URL('../../support/kernel-reader.js', import.meta.url).href;
const CERTIFICATE = new URL('./certificate.js', import.meta.url).href;

export interface AppResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Each line of stdout, as the JSON it holds. */
  readonly said: readonly unknown[];
}

export interface AppSettings {
  readonly env?: NodeJS.ProcessEnv;
  /** Default: `--import holdfast/register`. */
  readonly nodeOptions?: readonly string[];
  /** `.mjs` or `.cjs`. */
  readonly extension?: 'mjs' | 'cjs';
}

/**
 * What every application here starts with: an echo server, and `look(socket)`, which says what the kernel holds for a
 * socket, asked without the library.
 */
export const ESM_START = `
import net from 'node:net';
import tls from 'node:tls';
import http from 'node:http';
import { once } from 'node:events';
import { readKernel } from '${READER}';
import { certificate } from '${CERTIFICATE}';
const say = value => console.log(JSON.stringify(value));
const accepted = [];
const server = net.createServer(peer => {
  accepted.push(peer);
  peer.on('error', () => {}).on('data', chunk => peer.write(chunk));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const look = socket => readKernel(socket).idle;
const end = () => { for (const peer of accepted) peer.destroy(); server.close(); };
`;

/** Runs an application in a process of its own, on the same Node version, and waits for its end. */
export async function runApp(source: string, settings: AppSettings = {}): Promise<AppResult> {
  const { env = LOOPBACK, nodeOptions = ['--import', REGISTER], extension = 'mjs' } = settings;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-app-'));
  try {
    const file = join(folder, `app.${extension}`);
    writeFileSync(file, source);
    const child = spawn(process.execPath, [...nodeOptions, file], {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => (stdout += String(chunk)));
    child.stderr.on('data', chunk => (stderr += String(chunk)));
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    const lines = stdout.split('\n').filter(line => line.startsWith('{') || line.startsWith('['));
    return { code, signal, stdout, stderr, said: lines.map(line => JSON.parse(line) as unknown) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
