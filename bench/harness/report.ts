import type { Spread } from './statistics.js';

/** One line of a table. */
export type Row = readonly string[];

/** A median with the middle half and the whole of the figures: `0.998 [0.991 1.004] 0.970..1.021`. */
export function ratioCells({ median, lowerQuartile, upperQuartile, least, most }: Spread): Row {
  const quartiles = `[${fixed(lowerQuartile)} ${fixed(upperQuartile)}]`;
  return [fixed(median), quartiles, `${fixed(least)}..${fixed(most)}`];
}

function fixed(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}

/** Three significant figures, or whole numbers past a thousand. */
export function amount(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

/**
 * What the figures say of an aim: `met`, `missed`, or `open` where the middle half of the pairs lies on both sides of
 * it, or the median misses by less than the null row strays from 1.
 */
export function judged(ratios: Spread, aim: number | undefined, nullRow: Spread): string {
  if (aim === undefined) return '';
  const label = `<= ${aim}`;
  if (ratios.median <= aim) return `${label} met`;
  const stray = Math.max(Math.abs(nullRow.lowerQuartile - 1), Math.abs(nullRow.upperQuartile - 1));
  const isClear = ratios.lowerQuartile > aim && ratios.median > aim + stray;
  return `${label} ${isClear ? 'missed' : 'open'}`;
}

/** Columns as wide as their widest cell; the first one left, the others right. */
export function printTable(head: Row, rows: readonly Row[]): void {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map(line => (line[column] ?? '').length)));
  for (const line of lines) {
    const cells = line.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    print(`  ${cells.join('  ').trimEnd()}`);
  }
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}
