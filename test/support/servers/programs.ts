import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The folders of PATH, and `/usr/sbin`, which is not on everybody's. */
export function programFolders(): string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
}

export function findProgram(name: string): string | undefined {
  return programFolders()
    .map(folder => join(folder, name))
    .find(path => existsSync(path));
}

/** Starts a server in a new folder of its own, which goes again if that fails. */
export async function inOwnFolder<T>(name: string, start: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `holdfast-${name}-`));
  try {
    await chmod(folder, 0o755);
    return await start(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Resolves once a server has said the words, with a look into all it says. Rejects when it ends before. */
export function whenSaid(child: ChildProcess, words: string, name: string): Promise<() => string> {
  let log = '';
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error(`${name} did not start:\n${log}`));
    const collect = (chunk: Buffer): void => {
      log += chunk.toString();
      if (!log.includes(words)) return;
      child.off('error', reject).off('close', onClose);
      resolve(() => log);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', reject).once('close', onClose);
  });
}

/** Whether this namespace has the user: one made by `unshare --map-root-user` has root alone. */
export function isMapped(uid: number): boolean {
  const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
  return ranges.some(range => {
    const [first, , count] = range.trim().split(/\s+/).map(Number);
    return first !== undefined && count !== undefined && uid >= first && uid < first + count;
  });
}
