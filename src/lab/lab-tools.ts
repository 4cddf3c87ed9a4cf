import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LabError } from './lab-error.js';

/** Absolute paths of the programs the kernel backend runs. */
export interface LabTools {
  readonly ip: string;
  readonly nft: string;
  readonly unshare: string;
  readonly nsenter: string;
  /** Ends spawned programs with this process; without it they outlive a killed lab. Part of util-linux. */
  readonly setpriv: string | undefined;
  /** Flushes the table in one step; without it `forget()` takes the outer link down and up. */
  readonly conntrack: string | undefined;
}

/** Where administrators' programs live, which the PATH of ordinary users often leaves out. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** Finds the programs. Throws a {@link LabError} that names every missing one and the Debian packages. */
export function findLabTools(platform: string = process.platform, directories = searchPath()): LabTools {
  if (platform !== 'linux') throw new LabError(`the kernel NAT needs Linux, this is ${platform}`);
  const missing: string[] = [];
  const need = (name: string): string => {
    const found = find(name, directories);
    if (found === undefined) missing.push(name);
    return found ?? name;
  };
  const tools: LabTools = {
    ip: need('ip'),
    nft: need('nft'),
    unshare: need('unshare'),
    nsenter: need('nsenter'),
    setpriv: find('setpriv', directories),
    conntrack: find('conntrack', directories),
  };
  if (missing.length > 0) {
    const packages = 'apt-get install nftables iproute2 util-linux';
    throw new LabError(`the kernel NAT needs ${missing.join(', ')}: not found (${packages})`);
  }
  return tools;
}

function searchPath(): string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...SYSTEM_DIRECTORIES];
}

function find(name: string, directories: readonly string[]): string | undefined {
  return directories.map(directory => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent or not for us: both mean we can't run it
  }
}
