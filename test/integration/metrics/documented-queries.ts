import { readFileSync } from 'node:fs';

/** A query of docs/metrics.md, with the sentence before it. */
export interface DocumentedQuery {
  readonly title: string;
  readonly promql: string;
}

const PAGE = readFileSync('docs/metrics.md', 'utf8');

export function documentedQueries(): readonly DocumentedQuery[] {
  const found = PAGE.matchAll(/^(.+):\n\n```promql\n([^`]+)```$/gm);
  return [...found].map(([, title = '', promql = '']) => ({ title, promql }));
}

/** The names in the table of instruments. */
export function documentedInstruments(): readonly string[] {
  return [...PAGE.matchAll(/^\| `(holdfast\.[\w.]+)`/gm)].map(([, name = '']) => name);
}

/** The same query over another window than the document's minutes or hours. */
export function withWindow(promql: string, milliseconds: number): string {
  return promql
    .replaceAll(/\[\d+[mh]\]/g, `[${milliseconds}ms]`)
    .replaceAll(/offset \d+[mh]/g, `offset ${milliseconds}ms`);
}
