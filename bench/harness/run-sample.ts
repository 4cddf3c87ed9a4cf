import type { Contender, SampleQuestion } from '../question.js';
import { Child, stopAll } from './child.js';
import type { Machine } from './machine.js';
import type { ClientJob, Sample, ServerAddress, ServerJob } from './messages.js';
import { clientFlags, type Effort } from './paired.js';
import { amount, judged, printTable, ratioCells, type Row } from './report.js';
import { median, spreadOf } from './statistics.js';

/** Measures and prints one question. Each figure comes from a process of its own; rounds run forth, then back. */
export async function runSample(
  question: SampleQuestion,
  contenders: readonly Contender[],
  machine: Machine,
  effort: Effort,
): Promise<void> {
  const columns: readonly Contender[] = [question.base, question.base, ...contenders];
  const rounds: Sample[][] = [];
  for (let round = 0; round < effort.pairs; round += 1) {
    const order = columns.map((contender, index) => ({ contender, index }));
    if (round % 2 === 1) order.reverse();
    const samples: Sample[] = [];
    for (const { contender, index } of order)
      samples[index] = await sampleOnce(question, contender, machine, effort);
    rounds.push(samples);
  }
  for (const { name, unit, aims } of question.metrics) {
    const figures = columns.map((_, column) => rounds.map(samples => samples[column]?.[name] ?? NaN));
    const bases = figures[0] ?? [];
    const ratios = figures.map(own => spreadOf(own.map((figure, round) => figure / (bases[round] ?? NaN))));
    const nullRow = ratios[1];
    const rows = columns.flatMap((contender, column): Row[] => {
      const spread = ratios[column];
      if (column === 0 || spread === undefined || nullRow === undefined) return [];
      const label = column === 1 ? `${contender} (null row)` : contender;
      const aim = judged(spread, aims?.[contender], nullRow);
      return [[label, amount(median(figures[column] ?? [])), ...ratioCells(spread), aim]];
    });
    printTable([name, unit, 'ratio', 'quartiles', 'range', 'aim'], rows);
  }
}

async function sampleOnce(
  question: SampleQuestion,
  contender: Contender,
  machine: Machine,
  effort: Effort,
): Promise<Sample> {
  const { node, allocator, pinned } = machine;
  const job: ServerJob = { tls: false };
  const server = new Child({ node, script: 'server', job, allocator, core: pinned?.server });
  const clients: Child[] = [];
  try {
    const address = await server.ask<ServerAddress>('address');
    const given: ClientJob = { question: question.name, contender, address, warmUp: 0, quick: effort.quick };
    const flags = clientFlags(effort, `${question.name}-${contender}`);
    const client = new Child({ node, script: 'client', job: given, allocator, core: pinned?.client, flags });
    clients.push(client);
    return await client.ask<Sample>('sample');
  } finally {
    await stopAll(server, clients);
  }
}
