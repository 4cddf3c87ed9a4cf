/*
 * What the applications of this folder have in common. Each uses one driver through its wrapper, the way docs/drivers.md
 * shows, at the server in LAB_URL: it writes numbers to the table, list or mailbox in LAB_PLACE and counts them.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describeError } from '../../support/describe-error.js';
import type { DriverOptions } from '../../../src/drivers/driver-options.js';

/** One line of an application's output, for each round of work. */
export interface Round {
  /** The numbers written so far are those from 1 to this one. */
  readonly written: number;
  /** How long the writes and the count took. */
  readonly milliseconds: number;
  /** The connections it has now: `local port>remote port`. */
  readonly connections: readonly string[];
  /** What the application saw fail. */
  readonly error?: string;
}

/** A client, pool or session at work. */
export interface Worker {
  /** Writes some numbers, each of them once. */
  write(next: () => number): Promise<unknown>;
  /** How many numbers are there, once those written so far can be expected. */
  count(written: number): Promise<number>;
  close(): unknown;
}

export const url = new URL(process.env['LAB_URL'] ?? '');
export const place = process.env['LAB_PLACE'] ?? '';

const KEEPALIVE = { idle: '1s', interval: '1s' };
const HEARTBEAT = { interval: '1s', timeout: '10s' };
/** What an application holds one worker each with. */
const OPTIONS: Readonly<Record<string, readonly DriverOptions[]>> = {
  // Nothing but the gate can help: no keepalive and no heartbeat within a test's life, and nothing learned.
  gate: [{ keepalive: { idle: '1h' }, heartbeat: false, probeAfterIdle: '1s', learn: false }],
  awake: [
    { keepalive: KEEPALIVE, heartbeat: HEARTBEAT },
    { keepalive: KEEPALIVE, heartbeat: false },
    { keepalive: { idle: '1h' }, heartbeat: HEARTBEAT },
  ],
};

/**
 * Works at once, and again at each line on standard input. At the end of that it closes what it opened, and does not exit:
 * nothing may hold the process then.
 */
export async function workInRounds(open: (options: DriverOptions) => Promise<Worker>): Promise<void> {
  const workers = await Promise.all((OPTIONS[process.env['LAB_ARM'] ?? ''] ?? []).map(open));
  let written = 0;
  const next = (): number => ++written;

  async function work(): Promise<void> {
    await Promise.all(workers.map(worker => worker.write(next)));
    for (const count of await Promise.all(workers.map(worker => worker.count(written)))) {
      if (count !== written) throw new Error(`wrote ${written} numbers, and counts ${count}`);
    }
  }

  async function round(): Promise<void> {
    const startedAt = performance.now();
    const error = await work().then(() => undefined, describeError);
    const milliseconds = Math.round(performance.now() - startedAt);
    const connections = openConnections();
    const line: Round = { written, milliseconds, connections, ...(error === undefined ? {} : { error }) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  await round();
  for await (const _line of createInterface(process.stdin)) await round();
  await Promise.all(workers.map(worker => worker.close()));
}

/** Drivers keep their sockets to themselves, and the kernel's table can miss one that is read while others come and go. */
function openConnections(): string[] {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const sockets = handles.filter(handle => handle instanceof Socket && handle.remotePort !== undefined);
  return (sockets as Socket[]).map(({ localPort, remotePort }) => `${localPort ?? 0}>${remotePort ?? 0}`);
}
