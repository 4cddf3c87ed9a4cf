import { didYouMean } from './nearest.js';
import { problem, refuseProblems } from './problems.js';
import { readTexts, toOptions, type ReadLayer, type TextEntry } from './read-layer.js';
import { renderName, renderValue } from './render-value.js';
import { optionKeys, optionTable, type OptionKey } from './table.js';
import type { HoldfastOptions, OptionProblem } from './types.js';

/** Environment variables, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'HOLDFAST_';
/** The project's own tests and benchmarks are steered by these, and the lab tells its command where it is; they are not options. */
const NOT_OPTIONS = /^HOLDFAST_(?:TEST|BENCH|LAB)_/;

const keyOfName = new Map(
  optionKeys.flatMap((key): [string, OptionKey][] => {
    const { env } = optionTable[key];
    return env === undefined ? [] : [[env, key]];
  }),
);

/** The environment variables that are options, in the table's order. */
export const envNames: readonly string[] = Object.freeze([...keyOfName.keys()]);

/**
 * The options that HOLDFAST_* variables set. A variable that isn't set, is not in the result. Throws one
 * ERR_HOLDFAST_OPTIONS that lists every wrong value and every unknown HOLDFAST_* name.
 */
export function optionsFromEnv(env: Environment = process.env): HoldfastOptions {
  const { options, problems } = readEnv(env);
  refuseProblems(problems);
  return options;
}

/** The same without throwing: the options that are right, and what is wrong with the others. */
export function readEnv(env: Environment = process.env): {
  readonly options: HoldfastOptions;
  readonly problems: readonly OptionProblem[];
} {
  const layer = readEnvLayer(env);
  return { options: toOptions(layer), problems: layer.problems };
}

/** The environment as a layer for `resolveOptions`. Never throws. */
export function readEnvLayer(env: Environment): ReadLayer {
  const entries: TextEntry[] = [];
  const problems: OptionProblem[] = [];
  for (const [name, text] of holdfastVariables(env)) {
    const key = keyOfName.get(name);
    if (key === undefined) problems.push(unknownName(name));
    else if (typeof text === 'string') entries.push({ key, text, origin: name });
    else problems.push(problem({ key, value: renderValue(text), range: 'text', origin: name }, undefined));
  }
  return readTexts(entries, problems);
}

function holdfastVariables(env: Environment): [string, unknown][] {
  return Object.entries<unknown>(env).filter(
    ([name, text]) => name.startsWith(PREFIX) && !NOT_OPTIONS.test(name) && text !== undefined,
  );
}

function unknownName(name: string): OptionProblem {
  const shown = renderName(name);
  // The value is not shown: an unknown variable may hold anything, a password too.
  const hint = didYouMean(name, envNames);
  const range = hint === undefined ? `one of ${envNames.join(', ')}` : 'the name of an option';
  return problem({ key: shown, value: '(not shown)', range, origin: shown }, hint);
}
