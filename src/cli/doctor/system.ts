import { readFileSync } from 'node:fs';
import type { SettingName } from '../../kernel/binding.js';
import { nodeSetsIntervalAndCount } from '../../kernel/bindings/node.js';
import type { Kernel } from '../../kernel/kernel.js';

/** What a socket gets that nobody sets anything on. `undefined`: this system does not say. */
export interface KernelDefaults {
  /** Milliseconds before the first keepalive, on a socket that has keepalive on. */
  readonly idle: number | undefined;
  readonly interval: number | undefined;
  readonly count: number | undefined;
  /** Retransmissions before an unanswered write is given up; 15 is about 15 minutes. */
  readonly retries: number | undefined;
}

export interface Capabilities {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** Whether this Node's own setKeepAlive takes an interval and a count. */
  readonly nodeSetsIntervalAndCount: boolean;
  readonly bindings: readonly { readonly name: string; readonly sets: readonly SettingName[] }[];
  /** By name, why not. */
  readonly unavailable: Readonly<Partial<Record<string, string>>>;
  /** Whether settings can be read back, TCP_INFO read and a path probed. */
  readonly canRead: boolean;
}

const DIRECTORY = '/proc/sys/net/ipv4';

export function kernelDefaults(read: (name: string) => string | undefined = readProc): KernelDefaults {
  const number = (name: string): number | undefined => {
    const text = read(name)?.trim();
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const seconds = (name: string): number | undefined => {
    const value = number(name);
    return value === undefined ? undefined : value * 1000;
  };
  return {
    idle: seconds('tcp_keepalive_time'),
    interval: seconds('tcp_keepalive_intvl'),
    count: number('tcp_keepalive_probes'),
    retries: number('tcp_retries2'),
  };
}

export function capabilities(kernel: Kernel): Capabilities {
  return {
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    nodeSetsIntervalAndCount: nodeSetsIntervalAndCount(),
    bindings: kernel.bindings.map(({ name, sets }) => ({ name, sets: [...sets] })),
    unavailable: kernel.unavailable,
    canRead: kernel.canRead,
  };
}

function readProc(name: string): string | undefined {
  try {
    return readFileSync(`${DIRECTORY}/${name}`, 'utf8');
  } catch {
    return undefined; // not Linux, or a sandbox without it: unknown
  }
}
