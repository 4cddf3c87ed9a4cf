import type { Contender, StreamQuestion } from '../question.js';
import type { Machine } from './machine.js';
import { measurePair, type Effort, type Pair } from './paired.js';
import { amount, judged, print, printTable, ratioCells, type Row } from './report.js';
import { median, spreadOf } from './statistics.js';

/**
 * A server busier than this with a client less busy sets the pace: a difference between clients would show in their
 * processor time only, so their wall-clock time is not given.
 */
const BOUND = 0.9;

/** Measures and prints one question. The pairs of all rows take turns too: a slow minute falls on every row. */
export async function runStream(
  question: StreamQuestion,
  contenders: readonly Contender[],
  machine: Machine,
  effort: Effort,
): Promise<void> {
  const rows = new Map<Contender, Pair[]>((['bare', ...contenders] as const).map(name => [name, []]));
  for (let pair = 0; pair < effort.pairs; pair += 1) {
    const first = pair % 2 === 0 ? 'contender' : 'bare';
    for (const [name, pairs] of rows) pairs.push(await measurePair(question, name, machine, effort, first));
  }
  const all = [...rows.values()].flat();
  const rate = question.rate.of(median(all.map(pair => pair.bareSlice)));
  print(`  bare: ${amount(rate)} ${question.rate.unit}, ${load(all)}`);
  const nulls = rows.get('bare') ?? [];
  const head: Row = [
    '',
    'time',
    'quartiles',
    'range',
    'CPU',
    'quartiles',
    'range',
    'aim (time)',
    'aim (CPU)',
  ];
  const nullWall = spreadOf(nulls.map(pair => pair.wall));
  const nullCpu = spreadOf(nulls.map(pair => pair.cpu));
  const lines = [...rows].map(([name, pairs]): Row => {
    const wall = spreadOf(pairs.map(pair => pair.wall));
    const cpu = spreadOf(pairs.map(pair => pair.cpu));
    const isBound = isServerBound(pairs);
    const time = isBound ? ['server-bound', '', ''] : ratioCells(wall);
    const aim = question.aims[name];
    const aims = [isBound ? '' : judged(wall, aim, nullWall), judged(cpu, aim, nullCpu)];
    return [name === 'bare' ? 'bare (null row)' : name, ...time, ...ratioCells(cpu), ...aims];
  });
  printTable(head, lines);
}

function isServerBound(pairs: readonly Pair[]): boolean {
  const client = median(pairs.map(pair => pair.clientBusy));
  const server = median(pairs.map(pair => pair.serverBusy));
  return server > BOUND && client < BOUND;
}

function load(pairs: readonly Pair[]): string {
  const percent = (shares: readonly number[]): string => `${Math.round(median(shares) * 100)} %`;
  const client = percent(pairs.map(pair => pair.clientBusy));
  const server = percent(pairs.map(pair => pair.serverBusy));
  const others = percent(pairs.map(pair => pair.othersBusy));
  return `client busy ${client} of the time, server ${server}; others took ${others} of the machine`;
}
