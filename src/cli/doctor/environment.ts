import { envNames, readEnv, type Environment } from '../../options/env.js';
import { resolveOptions } from '../../options/resolve.js';
import type { HoldfastOptions, OptionProblem, ResolvedOptions } from '../../options/types.js';

/** What the environment's HOLDFAST_* variables come to. */
export interface EnvironmentReport {
  /** The variables that are set and known; no other variable is ever shown. */
  readonly variables: Readonly<Record<string, string>>;
  readonly problems: readonly OptionProblem[];
  /** What holds once the wrong ones are left out. */
  readonly options: ResolvedOptions;
}

export function examineEnvironment(
  env: Environment,
): EnvironmentReport & { readonly given: HoldfastOptions } {
  const { options, problems } = readEnv(env);
  const set = envNames.flatMap((name): [string, string][] => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { variables: Object.fromEntries(set), problems, given: options, options: resolveOptions(options) };
}
