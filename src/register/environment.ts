import { readEnv } from '../options/env.js';
import { OptionsError } from '../options/problems.js';
import type { HoldfastOptions } from '../options/types.js';

/** The options of HOLDFAST_* variables that are right, and the one error that tells what is wrong with the others. */
export function readEnvironment(env: NodeJS.ProcessEnv): {
  readonly options: HoldfastOptions;
  readonly error: OptionsError | undefined;
} {
  const { options, problems } = readEnv(env);
  return { options, error: problems.length === 0 ? undefined : new OptionsError(problems) };
}
