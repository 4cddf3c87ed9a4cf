import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled command. */
export const MAIN = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of this process without anything that steers holdfast, and with `extra`. */
export function cleanEnvironment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:HOLDFAST_|NODE_OPTIONS|NO_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** Runs `holdfast` as a process of its own. `meanwhile` sees the child as it runs. */
export function runCli(
  args: readonly string[],
  {
    env = {},
    input,
    meanwhile,
  }: { env?: NodeJS.ProcessEnv; input?: string; meanwhile?: (child: ChildProcess) => void } = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: cleanEnvironment(env), stdio: 'pipe' });
  child.stdin.end(input);
  meanwhile?.(child);
  return collect(child);
}

/** Waits for a child to end and keeps what it prints. */
export function collect(child: ChildProcess): Promise<CliResult> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, stdout, stderr }));
  });
}
