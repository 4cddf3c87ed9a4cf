import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { PATIENCE_MS, type Fate, type Running } from './running.js';

export const ARMS = ['bare', 'register', 'wrapper', 'register, late', 'wrapper, late'] as const;
export type Arm = (typeof ARMS)[number];

export const LOSSES = ['RST on the next packet', 'RST while idle', 'silent drop'] as const;
export type Loss = (typeof LOSSES)[number];

/** This file is `.build/test/drivers/compatibility/document.js` when it runs; the document is the project's. */
const PATH = `${process.cwd()}/docs/compatibility.md`;
const TIME = / in [\d.,]+ m?s$/;

/**
 * docs/compatibility.md: a table for each way of losing a connection, a line for each driver. Tests hold what they saw
 * against it, times apart.
 */
export class Document {
  readonly #text = readFileSync(PATH, 'utf8');
  readonly #seen = new Map<Loss, Map<string, Map<Arm, string>>>();

  record(loss: Loss, name: string, arm: Arm, running: Running): void {
    const table = this.#seen.get(loss) ?? new Map<string, Map<Arm, string>>();
    const line = table.get(name) ?? new Map<Arm, string>();
    line.set(arm, cell(running));
    this.#seen.set(loss, table.set(name, line));
  }

  /** Compares what was recorded with the document, or writes it there with HOLDFAST_TEST_WRITE=1. */
  settle(): void {
    let text = this.#text;
    for (const [loss, table] of this.#seen) {
      const section = new RegExp(`(## ${loss}\\n[^]*?\\n\\|[-:| ]+\\|\\n)((?:\\|.*\\|\\n)*)`);
      const [whole = '', head = '', body = ''] = section.exec(text) ?? [];
      expect(whole, `docs/compatibility.md has no table "${loss}"`).to.not.equal('');
      const lines = new Map(
        body
          .split('\n')
          .filter(Boolean)
          .map(line => [cells(line)[0] ?? '', line]),
      );
      for (const [name, seen] of table) {
        const fresh = [name, ...ARMS.map(arm => seen.get(arm) ?? '')];
        if (process.env['HOLDFAST_TEST_WRITE'] !== '1')
          expect(fresh.map(untimed), `${loss}: ${name}`).to.deep.equal(
            cells(lines.get(name) ?? '').map(untimed),
          );
        lines.set(name, `| ${fresh.join(' | ')} |`);
      }
      const sorted = [...lines.entries()]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([, line]) => `${line}\n`);
      text = text.replace(whole, head + sorted.join(''));
    }
    if (process.env['HOLDFAST_TEST_WRITE'] === '1') writeFileSync(PATH, text);
  }
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map(text => text.trim());
}

function untimed(text: string): string {
  return text.replace(TIME, '');
}

function cell({ fate, took }: Pick<Running, 'fate' | 'took'>): string {
  const words: Record<Fate, string> = {
    answer: 'answer',
    error: 'error',
    'error for good': '**error for good**',
    crash: '**process crash**',
    nothing: `**nothing** in ${PATIENCE_MS / 1000} s`,
  };
  if (took === undefined || fate === 'nothing') return words[fate];
  return `${words[fate]} in ${took < 10 ? took.toFixed(1) : took.toFixed(0)} ms`;
}
