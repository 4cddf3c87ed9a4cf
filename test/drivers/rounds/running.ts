import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NatLab } from '../../../src/lab/index.js';
import type { Round } from './application.js';

/** An application that does not answer for so long hangs. */
const HANGS_MS = 15_000;
const STARTS_MS = 60_000;

export interface Settings {
  /** A file of this folder. */
  readonly name: string;
  /** With the gate alone, or kept awake by keepalive and heartbeats. */
  readonly arm: 'gate' | 'awake';
  readonly url: string;
  readonly place: string;
}

/** An application in a process of its own, on the client's side. */
export class Running {
  readonly rounds: Round[] = [];
  /** For each round, how many connections the NAT still knew when it began, of those of the round before. */
  readonly survivors: number[] = [];
  stderr = '';
  /** Of the ended process: its exit code, or the signal that ended it. */
  end: number | string | undefined;
  readonly #settings: Settings;
  #child: ChildProcess | undefined;
  #wake: () => void = () => undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get hasEnded(): boolean {
    return this.end !== undefined;
  }

  get errors(): string[] {
    return this.rounds.flatMap(({ error }) => (error === undefined ? [] : [error]));
  }

  /** How long each round took, the quickest first; that in which it connects does not count. */
  get times(): readonly number[] {
    const times = this.rounds.slice(1).map(({ milliseconds }) => milliseconds);
    return times.sort((a, b) => a - b);
  }

  /** Those it had after its last work. */
  get connections(): readonly string[] {
    return this.rounds.at(-1)?.connections ?? [];
  }

  /** Resolves when the first work is done, or the process has ended. */
  async start(lab: NatLab): Promise<void> {
    const { name, arm, url, place } = this.#settings;
    const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
    const env = { ...process.env, NODE_OPTIONS: '', LAB_URL: url, LAB_PLACE: place, LAB_ARM: arm };
    const child = lab.spawn('client', process.execPath, [file], { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#child = child;
    this.#listen(child);
    await this.#answers(1, STARTS_MS);
  }

  /** Lets it work once more, with what the NAT knows. Resolves when that is done, or the process has ended. */
  async work(known: ReadonlySet<string>): Promise<void> {
    this.survivors.push(this.connections.filter(one => known.has(one)).length);
    const wanted = this.rounds.length + 1;
    this.#child?.stdin?.write('go\n');
    await this.#answers(wanted, HANGS_MS);
  }

  /** Lets it end by itself. */
  async finish(): Promise<void> {
    this.#child?.stdin?.end();
    await this.#answers(Infinity, HANGS_MS);
  }

  #listen(child: ChildProcess): void {
    let stdout = '';
    child.stdout?.on('data', chunk => {
      const lines = (stdout + String(chunk)).split('\n');
      stdout = lines.pop() ?? '';
      this.rounds.push(...lines.map(line => JSON.parse(line) as Round));
      this.#wake();
    });
    child.stderr?.on('data', chunk => (this.stderr += String(chunk)));
    child.stdin?.on('error', () => undefined); // it has crashed
    child.once('close', (code, signal) => {
      this.end = code ?? signal ?? 'unknown';
      this.#wake();
    });
  }

  async #answers(rounds: number, limit: number): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), limit);
    while (!this.hasEnded && this.rounds.length < rounds) {
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
    clearTimeout(timer);
  }
}
