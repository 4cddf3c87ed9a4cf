import type { WriteStream } from 'node:tty';

export const ACTORS = ['NAT', 'bare', 'hardened', 'gate', 'stream'] as const;
export type Actor = (typeof ACTORS)[number];
export type Tone = 'plain' | 'good' | 'bad' | 'note';

/** What happens within this time stands side by side. */
const TOGETHER_MS = 150;
const TIME_WIDTH = 7;
const COLUMN_WIDTH = 18;
const COLOURS: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '\u001B[32m',
  bad: '\u001B[31m',
  note: '\u001B[36m',
};
const BOLD = '\u001B[1m';
const RESET = '\u001B[0m';

interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

/** A column for each actor on a terminal, one plain line for each event elsewhere. */
export class Timeline {
  readonly #out: WriteStream;
  readonly #hasColumns: boolean;
  readonly #hasColour: boolean;
  readonly #startedAt = performance.now();
  readonly #row = new Map<Actor, Cell[]>();
  #rowTime = '';
  #flushSoon: NodeJS.Timeout | undefined;

  constructor(out: WriteStream = process.stdout) {
    this.#out = out;
    this.#hasColumns = out.isTTY;
    this.#hasColour = out.isTTY && !process.env['NO_COLOR'];
  }

  heading(text: string): void {
    this.text('');
    this.text(this.#paint(BOLD, text));
  }

  /** The columns' names, where there are columns. */
  columns(): void {
    if (!this.#hasColumns) return;
    this.text('');
    const names = 'time'.padEnd(TIME_WIDTH) + ACTORS.map(pad).join('');
    this.text(this.#paint(BOLD, names.trimEnd()));
  }

  text(text: string): void {
    this.#flush();
    this.#line(text);
  }

  say(actor: Actor, text: string, tone: Tone = 'plain'): void {
    const time = `${((performance.now() - this.#startedAt) / 1000).toFixed(1)}s`;
    if (!this.#hasColumns) {
      this.#line(`${time.padStart(6)}  ${actor.padEnd(9)} ${text}`);
      return;
    }
    if (this.#row.size === 0) {
      this.#rowTime = time;
      this.#flushSoon = setTimeout(() => this.#flush(), TOGETHER_MS);
    }
    const cells = wrap(text, COLUMN_WIDTH - 2).map(part => ({ text: part, tone }));
    this.#row.set(actor, [...(this.#row.get(actor) ?? []), ...cells]);
  }

  verdict(isTrue: boolean, claim: string): void {
    const mark = isTrue ? this.#paint(COLOURS.good, 'yes') : this.#paint(COLOURS.bad, 'NO ');
    this.text(`  ${mark}  ${claim}`);
  }

  /** Prints what was said together, as one row of cells. */
  #flush(): void {
    clearTimeout(this.#flushSoon);
    const height = Math.max(0, ...[...this.#row.values()].map(cells => cells.length));
    for (let line = 0; line < height; line++) {
      const cells = ACTORS.map(actor => this.#row.get(actor)?.[line]);
      const last = cells.findLastIndex(cell => cell !== undefined);
      const painted = cells.slice(0, last + 1).map((cell, column) => {
        const text = column === last ? (cell?.text ?? '') : pad(cell?.text ?? '');
        return this.#paint(COLOURS[cell?.tone ?? 'plain'], text);
      });
      this.#line((line === 0 ? this.#rowTime : '').padEnd(TIME_WIDTH) + painted.join(''));
    }
    this.#row.clear();
  }

  #paint(colour: string, text: string): string {
    return this.#hasColour && colour !== '' ? `${colour}${text}${RESET}` : text;
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }
}

function pad(text: string): string {
  return text.padEnd(COLUMN_WIDTH);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
