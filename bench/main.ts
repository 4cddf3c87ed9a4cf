import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isAllocator, type Allocator } from './harness/child.js';
import { describeMachine, inspectMachine, type Machine } from './harness/machine.js';
import type { Effort } from './harness/paired.js';
import { print } from './harness/report.js';
import { runSample } from './harness/run-sample.js';
import { runStream } from './harness/run-stream.js';
import type { Contender, Question } from './question.js';
import { questions } from './questions.js';

const USAGE = `node .build/bench/main.js [QUESTION...] [--pairs N] [--quick] [--node PATH] [--allocator NAME] [--only CONTENDER]... [--profile DIR]

  QUESTION     a name, or the start of several ("tls", "bulk"); all of them when none is given
  --pairs      process-isolated pairs a row; default 12, with --quick 3
  --quick      a first look: fewer pairs, shorter ones
  --node       the Node executable to measure; default the one that runs this
  --allocator  steady (default): glibc's thresholds fixed; default: left alone, and then bulk reads spread widely
  --only       these rows alone, beside the null row
  --profile    CPU profiles of the clients into DIR; the ratios then mean nothing

Questions: ${questions.map(({ name }) => name).join(', ')}`;

interface Asked {
  readonly effort: Effort;
  readonly node: string;
  readonly allocator: Allocator;
  readonly asked: readonly Question[];
  readonly only: readonly string[];
}

function readArguments(): Asked {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      node: { type: 'string', default: process.execPath },
      allocator: { type: 'string', default: 'steady' },
      only: { type: 'string', multiple: true, default: [] },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    process.exit(0);
  }
  const { quick, node, allocator, only } = values;
  if (!isAllocator(allocator)) throw new Error(`--allocator takes steady or default, not ${allocator}`);
  const known = new Set<string>(questions.flatMap(question => question.contenders));
  const stranger = only.find(name => !known.has(name));
  if (stranger !== undefined) throw new Error(`--only takes ${[...known].join(', ')}, not ${stranger}`);
  const pairs = Number(values.pairs ?? (quick ? 3 : 12));
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new Error(`--pairs takes a whole number from 1, not ${values.pairs}`);
  const asked = positionals.length === 0 ? questions : positionals.flatMap(questionsCalled);
  const profile = values.profile === undefined ? undefined : resolve(values.profile);
  return { effort: { pairs, rounds: quick ? 4 : 8, quick, profile }, node, allocator, asked, only };
}

function questionsCalled(name: string): readonly Question[] {
  const exact = questions.filter(question => question.name === name);
  const found = exact.length > 0 ? exact : questions.filter(question => question.name.startsWith(name));
  if (found.length === 0) throw new Error(`there is no question "${name}"\n\n${USAGE}`);
  return found;
}

async function ask(question: Question, contenders: readonly Contender[], machine: Machine, effort: Effort) {
  print(`\n${question.name}: ${question.asks}`);
  return question.kind === 'stream'
    ? runStream(question, contenders, machine, effort)
    : runSample(question, contenders, machine, effort);
}

async function main(): Promise<void> {
  const { effort, node, allocator, asked, only } = readArguments();
  const machine = inspectMachine(node, allocator);
  print(describeMachine(machine));
  print(`${effort.pairs} pairs a row; ratios to a bare socket, below 1 is less`);
  for (const warning of machine.warnings) print(`! ${warning}`);
  for (const question of asked) {
    const contenders = question.contenders.filter(name => only.length === 0 || only.includes(name));
    await ask(question, contenders, machine, effort);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
