import { HoldfastError } from '../errors.js';
import type { OptionProblem } from './types.js';

/** The error of wrong options: code ERR_HOLDFAST_OPTIONS, all problems at once. */
export class OptionsError extends HoldfastError {
  readonly problems: readonly OptionProblem[];
  constructor(problems: readonly OptionProblem[]) {
    super('ERR_HOLDFAST_OPTIONS', describeProblems(problems));
    this.problems = Object.freeze([...problems]);
  }
}

/** Throws the one error when there is any problem. */
export function refuseProblems(problems: readonly OptionProblem[]): void {
  if (problems.length > 0) throw new OptionsError(problems);
}

/** One problem on one line: key, value, origin, what is allowed, hint. */
export function describeProblem({ key, value, range, origin, hint }: OptionProblem): string {
  const help = hint === undefined ? '' : `; ${hint}`;
  return `${key} = ${value} (from ${origin}); allowed: ${range}${help}`;
}

/** A single problem is a message of one line; several follow a heading, one a line. */
function describeProblems(problems: readonly OptionProblem[]): string {
  const lines = problems.map(describeProblem);
  if (lines.length === 1) return `Wrong option: ${lines.join()}`;
  return [`${lines.length} wrong options:`, ...lines.map(line => `  ${line}`)].join('\n');
}

/** Makes a problem; the hint is left out where there is none. */
export function problem(fields: Omit<OptionProblem, 'hint'>, hint: string | undefined): OptionProblem {
  return Object.freeze(hint === undefined ? { ...fields } : { ...fields, hint });
}
