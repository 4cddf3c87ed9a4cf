import { Command, CommanderError } from 'commander';
import { HoldfastError } from '../errors.js';
import { addDoctorCommand } from './doctor/command.js';
import { CliError, exitCodes, exitCodesHelp } from './exit-codes.js';
import { addLabCommand } from './lab/command.js';
import { addPresetsCommand } from './presets.js';
import { addProbeCommand } from './probe/command.js';
import { processTerminal, type Terminal } from './terminal.js';
import { packageVersion } from './version.js';

/**
 * Runs the command line.
 * @param args without the program's own name
 * @returns the exit code; it never throws for what a user did
 */
export async function run(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const exit = (code: number): void => void (exitCode = code);
  const program = new Command('holdfast')
    .description('Keeps TCP connections alive behind NATs, balancers and firewalls, and shows what they do.')
    .version(packageVersion())
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(`holdfast: ${oneLine(text)}\n`) })
    .addHelpText('after', exitCodesHelp);
  addDoctorCommand(program, terminal, exit);
  addProbeCommand(program, terminal, exit);
  addLabCommand(program, terminal, exit);
  addPresetsCommand(program, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof CliError) {
      terminal.err.line(`holdfast: ${error.message}`);
      return error.exitCode;
    }
    if (error instanceof HoldfastError) {
      terminal.err.line(`holdfast: ${error.message}`);
      return exitCodes.unmeasurable;
    }
    throw error;
  }
}

/** Commander's errors in one line: what is wrong, and what was meant perhaps. */
function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/^.* is invalid(?: for argument '[^']*')?\. /s, '')
    .replaceAll(/\s*\n\s*/g, ' ');
}
