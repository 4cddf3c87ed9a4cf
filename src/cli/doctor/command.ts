import type { Command } from 'commander';
import { kernelFor, type AppliedSettings } from '../../kernel/kernel.js';
import { parseAddress, type Address } from '../arguments.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { untilSignal } from '../signals.js';
import type { Terminal } from '../terminal.js';
import { advise, type Advice } from './advice.js';
import { examineConnection, examineLoopback, type ConnectionReport } from './connection.js';
import { examineEnvironment, type EnvironmentReport } from './environment.js';
import { doctorJson, printDoctor } from './render.js';
import { capabilities, kernelDefaults, type Capabilities, type KernelDefaults } from './system.js';

/** What doctor found; also the shape of `--json`. Milliseconds. */
export interface DoctorReport {
  readonly target: (Address & { readonly tls: boolean }) | undefined;
  readonly capabilities: Capabilities;
  readonly defaults: KernelDefaults;
  readonly environment: EnvironmentReport;
  /** Requested and effective, of the connection or of one over loopback. */
  readonly settings: AppliedSettings | undefined;
  /** undefined without a target. */
  readonly connection: ConnectionReport | undefined;
  readonly advice: readonly Advice[];
}

interface DoctorFlags {
  readonly tls: boolean;
  readonly json: boolean;
}

export function addDoctorCommand(program: Command, terminal: Terminal, exit: (code: ExitCode) => void): void {
  program
    .command('doctor')
    .summary('show what this machine can set, and what a connection gets')
    .description(
      'Shows the kernel defaults, what this Node can set and how, what the HOLDFAST_* environment does, and, with an address, what a hardened connection gets.',
    )
    .argument('[HOST:PORT]', 'connect there too; IPv6 as [::1]:5432', text => parseAddress(text))
    .option('--tls', 'do a TLS handshake', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (address: Address | undefined, flags: DoctorFlags) =>
      exit(await runDoctor(address, flags, terminal)),
    );
}

async function runDoctor(
  address: Address | undefined,
  { tls, json }: DoctorFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const interruption = untilSignal(terminal);
  try {
    const report = await examine(address && { ...address, tls }, interruption.signal);
    if (json) terminal.out.line(doctorJson(report));
    else printDoctor(report, terminal.out);
    return interruption.exitCode ?? exitCodeOf(report);
  } finally {
    interruption.dispose();
  }
}

async function examine(target: DoctorReport['target'], signal: AbortSignal): Promise<DoctorReport> {
  const { given, ...environment } = examineEnvironment(process.env);
  const { backend } = environment.options;
  const connection = target && (await examineConnection(target, given, signal));
  const settings = connection?.connected ? connection.settings : await examineLoopback(given, signal);
  const facts = {
    capabilities: capabilities(kernelFor(backend)),
    defaults: kernelDefaults(),
    environment,
    settings,
    connection,
  };
  return { target, ...facts, advice: advise(facts) };
}

function exitCodeOf({ connection, advice }: DoctorReport): ExitCode {
  if (connection?.connected === false) return exitCodes.unreachable;
  return advice.some(({ level }) => level === 'problem') ? exitCodes.finding : exitCodes.ok;
}
