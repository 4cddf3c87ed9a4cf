import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Allocator } from './child.js';
import { sum } from './statistics.js';

/** Where and with what the measuring processes run. */
export interface Machine {
  readonly node: string;
  readonly nodeVersion: string;
  readonly allocator: Allocator;
  readonly cores: number;
  /** undefined: nothing here can pin a process. */
  readonly pinned: { readonly client: number; readonly server: number } | undefined;
  /** What a reader must know of these figures. */
  readonly warnings: readonly string[];
}

const QUIET_LOAD = 0.5;

/** @throws where figures from this machine would say nothing */
export function inspectMachine(node: string, allocator: Allocator): Machine {
  const cores = availableParallelism();
  if (cores < 2) throw new Error('client and server need a core each, and there is one: ratios would lie');
  const { NODE_OPTIONS: options = '', NODE_V8_COVERAGE: coverage } = process.env;
  if (coverage !== undefined || /inspect|prof|trace/.test(options)) {
    throw new Error('NODE_OPTIONS or NODE_V8_COVERAGE instruments the processes: ratios would lie');
  }
  const nodeVersion = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const canPin = spawnSync('taskset', ['-c', '0', node, '--version']).status === 0;
  const [load = 0] = loadavg();
  const warnings = [
    ...(canPin ? [] : ['taskset can not pin here: expect spreads of 10 to 25 %']),
    ...(load > QUIET_LOAD ? [`other work is running (load ${load.toFixed(1)} before the start)`] : []),
  ];
  return {
    node,
    nodeVersion,
    allocator,
    cores,
    pinned: canPin ? { client: 0, server: 1 } : undefined,
    warnings,
  };
}

/** Milliseconds all cores together have worked, and have existed. */
export function machineTime(): { readonly busy: number; readonly total: number } {
  const times = cpus().map(core => core.times);
  const busy = sum(times.map(({ user, nice, sys, irq }) => user + nice + sys + irq));
  return { busy, total: busy + sum(times.map(({ idle }) => idle)) };
}

export function describeMachine({ nodeVersion, allocator, cores, pinned }: Machine): string {
  const where =
    pinned === undefined ? 'not pinned' : `client on core ${pinned.client}, server on core ${pinned.server}`;
  return `Node ${nodeVersion}, ${process.platform} ${process.arch}, ${cores} cores, ${where}, loopback, ${allocator} allocator`;
}
