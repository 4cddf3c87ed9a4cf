import { spawn, spawnSync } from 'node:child_process';
import { startHolder, type Holder } from './holder.js';
import { LabError } from './lab-error.js';
import type { LabTools } from './lab-tools.js';

export type NamespaceName = 'client' | 'nat' | 'server';

/**
 * Three network namespaces without names: nothing under /run/netns, nothing to leave behind. As root they are
 * made directly; otherwise inside a user namespace of their own, where an ordinary user is root.
 */
export class Namespaces {
  readonly #tools: LabTools;
  readonly #holders: Readonly<Record<NamespaceName, Holder>>;
  /** What nsenter needs before it may enter the networks: nothing for root. */
  readonly #userArgs: readonly string[];

  private constructor(
    tools: LabTools,
    holders: Readonly<Record<NamespaceName, Holder>>,
    userArgs: readonly string[],
  ) {
    this.#tools = tools;
    this.#holders = holders;
    this.#userArgs = userArgs;
  }

  static async hold(tools: LabTools): Promise<Namespaces> {
    const direct: [string, ...string[]] = [tools.unshare, '--net'];
    let nat: Holder;
    let userArgs: string[] = [];
    try {
      nat = await startHolder(direct);
    } catch (refusal) {
      // The network second: made before its user namespace has a root, its /proc files would be closed to us.
      nat = await startHolder([tools.unshare, '--user', '--map-root-user', '--', ...direct]).catch(
        (error: unknown) => {
          const message = `neither root nor a user namespace: ${text(refusal)}; ${text(error)}`;
          throw new LabError(message, { cause: error });
        },
      );
      userArgs = [`--user=/proc/${nat.pid}/ns/user`, '--preserve-credentials'];
    }
    const command: [string, ...string[]] =
      userArgs.length === 0 ? direct : [tools.nsenter, ...userArgs, '--', ...direct];
    const others = await Promise.allSettled([startHolder(command), startHolder(command)]);
    const [client, server] = others;
    if (client.status === 'fulfilled' && server.status === 'fulfilled') {
      return new Namespaces(tools, { client: client.value, nat, server: server.value }, userArgs);
    }
    const made = [nat, ...others.flatMap(other => (other.status === 'fulfilled' ? [other.value] : []))];
    await Promise.all(made.map(holder => holder.release()));
    const [failure] = others.flatMap(other => (other.status === 'rejected' ? [other.reason as unknown] : []));
    throw new LabError(`could not make the namespaces: ${text(failure)}`, { cause: failure });
  }

  /** False once one of the three was ended, by us or by someone else. */
  get isHeld(): boolean {
    return Object.values(this.#holders).every(holder => holder.isHeld);
  }

  /** Process whose /proc entry shows that network. */
  pid(name: NamespaceName): number {
    return this.#holders[name].pid;
  }

  /** The command line that runs `command` in that network. `tied`: it is killed when our thread ends. */
  command(
    name: NamespaceName,
    command: readonly string[],
    options: { readonly tied: boolean },
  ): [program: string, args: string[]] {
    const { pid, isHeld } = this.#holders[name];
    if (!isHeld) throw new LabError(`the ${name} namespace is gone: its holder (process ${pid}) was ended`);
    const { nsenter, setpriv } = this.#tools;
    const tie = options.tied && setpriv !== undefined ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
    return [nsenter, [...this.#userArgs, `--net=/proc/${pid}/ns/net`, '--', ...tie, ...command]];
  }

  /** Runs a shell script in that network, stopping at the first failure; resolves with what it printed. */
  async run(name: NamespaceName, script: string): Promise<string> {
    const [program, args] = this.command(name, ['sh', '-e', '-s'], { tied: false });
    const child = spawn(program, args, { stdio: 'pipe' });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
    child.stdin.on('error', () => undefined); // a shell that ends early: its exit code tells
    child.stdin.end(script);
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    return outcome(name, status, output);
  }

  /** The same, blocking: for a first look that must precede whatever the caller does next. */
  runSync(name: NamespaceName, script: string): string {
    const [program, args] = this.command(name, ['sh', '-e', '-s'], { tied: false });
    const { status, stdout, stderr, error } = spawnSync(program, args, { input: script, encoding: 'utf8' });
    if (error) throw new LabError(`could not run ${program}: ${error.message}`, { cause: error });
    return outcome(name, status, { stdout, stderr });
  }

  async release(): Promise<void> {
    await Promise.all(Object.values(this.#holders).map(holder => holder.release()));
  }
}

function outcome(
  name: NamespaceName,
  status: number | null,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): string {
  if (status === 0) return stdout;
  const complaint = stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  throw new LabError(`a step in the ${name} namespace failed: ${complaint || `exit code ${status ?? '?'}`}`);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
