/** What the process exits with. Stable: scripts match on them. */
export const exitCodes = {
  /** Nothing to worry about. */
  ok: 0,
  /** Something was found: an option that isn't effective, a flow that is forgotten, a server that closes. */
  finding: 1,
  /** Wrong arguments. */
  usage: 2,
  /** No connection to the server could be made. */
  unreachable: 3,
  /** It can't be measured: no binding here, or a server that never falls silent. */
  unmeasurable: 4,
  /** The lab could not be built. Codes below are the command's own. */
  labFailed: 125,
  /** lab: there is no such program. */
  commandNotFound: 127,
  /** Ctrl-C; what was known by then was printed. */
  interrupted: 130,
  /** SIGTERM; what was known by then was printed. */
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For `--help`. */
export const exitCodesHelp = `
Exit codes:
  0    nothing to worry about
  1    a finding: an option is not effective, the path forgets idle flows, the server closes them
  2    wrong arguments
  3    no connection could be made
  4    it can't be measured here
  125  lab: the NAT lab could not be built; 127: no such command; otherwise the command's own exit code
  130  interrupted (Ctrl-C); what was known by then was printed. 143 for SIGTERM`;

/** Ends the command with one line on stderr and an exit code; never a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
