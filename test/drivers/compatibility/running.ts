import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NatLab } from '../../../src/lab/index.js';
import type { Line } from './application.js';

/** What an application sees that works again after a silence. */
export type Fate =
  /** It gets its answer, on a connection that was kept or on a new one. */
  | 'answer'
  /** It gets an error. Later work succeeds. */
  | 'error'
  /** It gets an error, and later work fails or hangs: a new client is needed. */
  | 'error for good'
  /** The process ends by an error that nobody listens for. */
  | 'crash'
  /** Nothing, within {@link PATIENCE_MS}. */
  | 'nothing';

/** How long an application may take before it counts as hanging; the hardened ones take less than a tenth of it. */
export const PATIENCE_MS = 6000;

/** A program under `compatibility/`, running behind the NAT. */
export class Running {
  readonly name: string;
  stderr = '';
  #stdout = '';
  #hasEnded = false;
  readonly #child: ChildProcess;

  /** `file` is relative to this folder; NODE_OPTIONS and the library's variables come from `env` alone. */
  constructor(lab: NatLab, name: string, file: string, env: NodeJS.ProcessEnv, nodeOptions: string[] = []) {
    this.name = name;
    const path = fileURLToPath(new URL(`${file}.js`, import.meta.url));
    this.#child = lab.spawn('client', process.execPath, [...nodeOptions, path], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    this.#child.stdout?.on('data', chunk => (this.#stdout += String(chunk)));
    this.#child.stderr?.on('data', chunk => (this.stderr += String(chunk)));
    this.#child.stdin?.on('error', () => undefined); // it has crashed
    this.#child.once('close', () => (this.#hasEnded = true));
  }

  /** It has worked once and is silent, or it has crashed since. Throws when it never got there. */
  get isIdle(): boolean {
    if (this.#lines[0]?.isIdle === true) return true;
    if (this.#hasEnded) throw new Error(`${this.name} did not work even once: ${this.stderr}`);
    return false;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get fate(): Fate {
    const [, result, later] = this.#lines;
    if (result === undefined) return this.#hasEnded ? 'crash' : 'nothing';
    if (result.error === undefined) return 'answer';
    return later?.isUsableAgain === true ? 'error' : 'error for good';
  }

  /** How long the work after the silence took, in milliseconds. */
  get took(): number | undefined {
    return this.#lines[1]?.took;
  }

  get error(): string | undefined {
    return this.#lines[1]?.error;
  }

  workAgain(): void {
    this.#child.stdin?.end('go');
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }

  get #lines(): Line[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Line);
  }
}
