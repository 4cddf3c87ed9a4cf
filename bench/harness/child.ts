import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Reply } from './messages.js';

export interface ChildOptions {
  /** The Node executable. */
  readonly node: string;
  /** Beside this file, without its extension. */
  readonly script: 'client' | 'server';
  readonly job: object;
  /** The only core it may run on; undefined where nothing can pin. */
  readonly core: number | undefined;
  readonly allocator: Allocator;
  readonly flags?: readonly string[];
}

const LONGEST_ANSWER_MS = 120_000;

const MIB = 2 ** 20;

/**
 * What the measuring processes' allocator is told, for glibc. `steady` fixes both thresholds: left alone they follow
 * what a process happened to free first, and bulk reads run at one of several speeds, by process. Fixing only the first
 * would also freeze the second at 128 KiB, and each larger buffer would then be mapped and faulted in anew.
 */
const ALLOCATORS = {
  steady: { MALLOC_TRIM_THRESHOLD_: String(128 * MIB), MALLOC_MMAP_THRESHOLD_: String(32 * MIB) },
  default: {},
} as const;

export type Allocator = keyof typeof ALLOCATORS;

export function isAllocator(name: string): name is Allocator {
  return Object.hasOwn(ALLOCATORS, name);
}

/** Clients first: one whose server goes away reports a lost connection. */
export async function stopAll(server: Child, clients: readonly Child[]): Promise<void> {
  await Promise.all(clients.map(client => client.stop()));
  await server.stop();
}

/** A measuring process, seen from main: one request at a time, and no answer but in time. */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;

  constructor({ node, script, job, core, allocator, flags = [] }: ChildOptions) {
    const path = fileURLToPath(new URL(`./${script}.js`, import.meta.url));
    const command = [node, '--expose-gc', ...flags, path, JSON.stringify(job)];
    const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command];
    const [program = node, ...rest] = pinned;
    this.#name = script;
    this.#process = spawn(program, rest, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...ALLOCATORS[allocator] },
    });
  }

  /** Rejects with the child's own error, when it dies, and after two minutes. */
  ask<T>(request: string): Promise<T> {
    const child = this.#process;
    return new Promise<T>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit).off('error', onError);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${this.#name}, asked to ${request}: ${why}`)));
      const onMessage = (reply: Reply): void =>
        'failure' in reply ? fail(reply.failure) : settle(() => resolve(reply.value as T));
      const onExit = (code: number | null): void => fail(`the process ended (${code ?? 'killed'})`);
      const onError = (error: Error): void => fail(error.message);
      const timer = setTimeout(() => fail('no answer in time'), LONGEST_ANSWER_MS);
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      child.send(request);
    });
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = new Promise(resolve => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    await gone;
  }
}
