import type { Contender, StreamQuestion } from '../question.js';
import { Child, stopAll } from './child.js';
import { machineTime, type Machine } from './machine.js';
import type { ClientJob, ServerAddress, ServerJob, SliceTime } from './messages.js';
import { median, sum } from './statistics.js';

export interface Effort {
  readonly pairs: number;
  /** Rounds of four slices in a pair. */
  readonly rounds: number;
  readonly quick: boolean;
  /** Where clients leave CPU profiles. */
  readonly profile: string | undefined;
}

/** One pair's outcome: a contender's time as a multiple of a bare socket's, both in fresh processes. */
export interface Pair {
  /** Wall-clock time, the median of the rounds. */
  readonly wall: number;
  /** Processor time, the whole pair's. */
  readonly cpu: number;
  /** Milliseconds of a bare slice. */
  readonly bareSlice: number;
  /** Share of the time the contender, and the server, kept its core busy. */
  readonly clientBusy: number;
  readonly serverBusy: number;
  /** Share of the machine that others took meanwhile: other programs, and the kernel's own network threads. */
  readonly othersBusy: number;
}

/** After fewer the optimizing compiler is still at work. */
const WARM_UP_SLICES = 10;

export function clientFlags({ profile }: Effort, name: string): readonly string[] {
  if (profile === undefined) return [];
  return [
    '--cpu-prof',
    '--cpu-prof-dir',
    profile,
    '--cpu-prof-name',
    `${name}-${process.hrtime.bigint()}.cpuprofile`,
  ];
}

/**
 * Runs a contender and a bare socket against one server, all three in processes of their own. The two take turns by
 * the slice (ABBA, then BAAB), so that whatever else the machine does falls on both.
 */
export async function measurePair(
  question: StreamQuestion,
  contender: Contender,
  machine: Machine,
  effort: Effort,
  startedFirst: 'contender' | 'bare',
): Promise<Pair> {
  const { node, allocator, pinned } = machine;
  const job: ServerJob = { tls: question.tls };
  const server = new Child({ node, script: 'server', job, allocator, core: pinned?.server });
  const clients: Child[] = [];
  try {
    const address = await server.ask<ServerAddress>('address');
    const start = async (name: Contender): Promise<Child> => {
      const { quick } = effort;
      const given: ClientJob = {
        question: question.name,
        contender: name,
        address,
        warmUp: WARM_UP_SLICES,
        quick,
      };
      const flags = clientFlags(effort, `${question.name}-${name}`);
      const client = new Child({
        node,
        script: 'client',
        job: given,
        allocator,
        core: pinned?.client,
        flags,
      });
      clients.push(client);
      await client.ask('open');
      return client;
    };
    // Who starts first alternates too: memory is laid out by what was there before.
    const early = await start(startedFirst === 'contender' ? contender : 'bare');
    const late = await start(startedFirst === 'contender' ? 'bare' : contender);
    const [subject, bare] = startedFirst === 'contender' ? [early, late] : [late, early];
    for (let slice = 0; slice < WARM_UP_SLICES; slice += 1) {
      await subject.ask('slice');
      await bare.ask('slice');
    }
    return await takeTurns(subject, bare, server, effort.rounds);
  } finally {
    await stopAll(server, clients);
  }
}

async function takeTurns(subject: Child, bare: Child, server: Child, rounds: number): Promise<Pair> {
  const serverBefore = await server.ask<number>('cpu');
  const machineBefore = machineTime();
  const ratios: number[] = [];
  const bySubject: SliceTime[] = [];
  const byBare: SliceTime[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const inner = round % 2 === 0 ? subject : bare;
    const outer = inner === subject ? bare : subject;
    const times = new Map<Child, SliceTime[]>([
      [subject, []],
      [bare, []],
    ]);
    for (const turn of [outer, inner, inner, outer])
      times.get(turn)?.push(await turn.ask<SliceTime>('slice'));
    const [subjects = [], bares = []] = [times.get(subject), times.get(bare)];
    ratios.push(wallOf(subjects) / wallOf(bares));
    bySubject.push(...subjects);
    byBare.push(...bares);
  }
  const serverCpu = (await server.ask<number>('cpu')) - serverBefore;
  const machineAfter = machineTime();
  const wall = wallOf(bySubject) + wallOf(byBare);
  const clientCpu = cpuOf(bySubject) + cpuOf(byBare);
  const othersCpu = machineAfter.busy - machineBefore.busy - clientCpu - serverCpu;
  return {
    wall: median(ratios),
    cpu: cpuOf(bySubject) / cpuOf(byBare),
    bareSlice: median(byBare.map(slice => slice.wall)),
    clientBusy: cpuOf(bySubject) / wallOf(bySubject),
    serverBusy: serverCpu / wall,
    othersBusy: Math.max(0, othersCpu / (machineAfter.total - machineBefore.total)),
  };
}

function wallOf(slices: readonly SliceTime[]): number {
  return sum(slices.map(slice => slice.wall));
}

function cpuOf(slices: readonly SliceTime[]): number {
  return sum(slices.map(slice => slice.cpu));
}
