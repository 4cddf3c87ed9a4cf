import { appendFile, writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import {
  durationArgument,
  formatAddress,
  integerArgument,
  parseAddress,
  type Address,
} from '../arguments.js';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.js';
import { untilSignal } from '../signals.js';
import type { Terminal } from '../terminal.js';
import type { Finding } from './finding.js';
import { probePage } from './page.js';
import { measure } from './measure.js';
import { progressView } from './progress.js';
import { makeReport, printReport, reportJson } from './report.js';

interface ProbeFlags {
  readonly max: number;
  readonly connections: number;
  readonly tls: boolean;
  readonly json: boolean;
  readonly html?: string;
}

const HELP = `
Opens connections, leaves each idle for a different time without keepalive, then lets the kernel ask whether the
flow still exists. No byte of a protocol is sent, so any TCP server will do. One connection with keepalive is the
control. Ctrl-C prints what is known by then; a second one ends at once.`;

export function addProbeCommand(program: Command, terminal: Terminal, exit: (code: ExitCode) => void): void {
  program
    .command('probe')
    .summary('measure how long the path to a server remembers an idle flow')
    .description('Measures how long the path to a server remembers an idle flow.')
    .argument('<HOST:PORT>', 'any TCP server; IPv6 as [::1]:5432', text => parseAddress(text))
    .addOption(
      new Option('--max <DURATION>', 'longest silence to try, 2s to 24h')
        .default(600_000, '10m')
        .argParser(durationArgument('--max', { min: 2000, max: 86_400_000 })),
    )
    .addOption(
      new Option('--connections <N>', 'connections open at the same time, 2 to 64')
        .default(16)
        .argParser(integerArgument('--connections', { min: 2, max: 64 })),
    )
    .option('--tls', 'do a TLS handshake on each connection first', false)
    .option('--json', 'print the result as JSON', false)
    .option('--html <FILE>', 'also write the result as a web page')
    .addHelpText('after', HELP)
    .action(async (address: Address, flags: ProbeFlags) => exit(await runProbe(address, flags, terminal)));
}

async function runProbe(address: Address, flags: ProbeFlags, terminal: Terminal): Promise<ExitCode> {
  const { max, connections, tls } = flags;
  // A file that can't be written is found before the measuring, not after; what it holds stays until then.
  if (flags.html !== undefined) await wrote(flags.html, appendFile(flags.html, ''));
  const interruption = untilSignal(terminal);
  const view = progressView(`probe ${formatAddress(address)}`, terminal.err);
  try {
    const measurement = await measure({
      ...address,
      max,
      connections,
      tls,
      signal: interruption.signal,
      progress: progress => view.update(progress),
    }).finally(() => view.end());
    const report = makeReport({ ...address, tls }, measurement);
    if (flags.json) terminal.out.line(reportJson(report));
    else printReport(report, terminal.out);
    if (flags.html !== undefined) {
      await wrote(flags.html, writeFile(flags.html, probePage(report)));
      terminal.err.line(`page written to ${flags.html}`);
    }
    return interruption.exitCode ?? exitCodeOf(report.conclusion.finding);
  } finally {
    interruption.dispose();
  }
}

function exitCodeOf(finding: Finding): ExitCode {
  if (finding.kind === 'remembers') return exitCodes.ok;
  return finding.kind === 'unclear' ? exitCodes.unmeasurable : exitCodes.finding;
}

async function wrote(file: string, writing: Promise<void>): Promise<void> {
  await writing.catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(exitCodes.usage, `--html: can't write ${file}: ${code ?? message}`);
  });
}
