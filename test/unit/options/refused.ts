import { OptionsError } from '../../../src/options/problems.js';
import type { HoldfastOptions, OptionProblem } from '../../../src/options/types.js';

/** Runs `fn`, which must refuse: returns its error. Anything else it throws, or that it doesn't throw, fails. */
export function refusal(fn: () => unknown): OptionsError {
  try {
    fn();
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
  throw new Error('expected a refusal, but the options were accepted');
}

export function problemsOf(fn: () => unknown): readonly OptionProblem[] {
  return refusal(fn).problems;
}

/** What a program in JavaScript may pass. */
export function untyped(options: unknown): HoldfastOptions {
  return options as HoldfastOptions;
}
