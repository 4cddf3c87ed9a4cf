import { didYouMean } from './nearest.js';
import { problem } from './problems.js';
import { renderName, renderValue } from './render-value.js';
import { optionKeys, optionTable, type OptionKey, type OptionRow, type OptionValues } from './table.js';
import type { HoldfastOptions, OptionProblem } from './types.js';

/** What one origin sets, once read, and what is wrong in it. */
export interface ReadLayer {
  readonly values: OptionValues;
  readonly origins: ReadonlyMap<OptionKey, string>;
  /** Where `heartbeat` itself was given, even without a field in it. */
  readonly heartbeatOrigin: string | undefined;
  readonly problems: readonly OptionProblem[];
}

/** One option given as text, by an environment variable or a flag. */
export interface TextEntry {
  readonly key: OptionKey;
  readonly text: string;
  /** Said in problems, such as `HOLDFAST_LEARN` or `--learn`. */
  readonly origin: string;
}

/** Reads an options object of a caller. Reads each property once, changes nothing, never throws. */
export function readObject(options: unknown, origin: string): ReadLayer {
  const reader = new Reader();
  readLevel(reader, options, '', origin);
  return reader.finish();
}

/** Reads options given as text. Never throws. Problems found before can be passed in, to be told first. */
export function readTexts(entries: Iterable<TextEntry>, earlier: readonly OptionProblem[] = []): ReadLayer {
  const reader = new Reader(earlier);
  for (const { key, text, origin } of entries) {
    const { kind } = rowOf(key);
    const trimmed = text.trim();
    const reading = kind.readText(trimmed);
    if (reading.accepted) reader.set(key, reading.value, origin);
    else
      reader.refuse(
        key,
        text,
        kind.range,
        origin,
        trimmed === '' ? 'unset it to use the default' : reading.hint,
      );
  }
  return reader.finish();
}

/** The layer as an options object: what a caller could have written by hand. Frozen. */
export function toOptions({ values }: ReadLayer): HoldfastOptions {
  const options: Record<string, unknown> = {};
  for (const key of optionKeys) {
    const value = values[key];
    if (value === undefined) continue;
    const [name, field] = splitKey(key);
    options[name] =
      field === undefined
        ? value
        : Object.freeze({ ...(options[name] as object | undefined), [field]: value });
  }
  return Object.freeze(options);
}

/** The names at each level: '' is the options object itself, 'keepalive' and so on the objects in it. */
const levels = new Map<string, Set<string>>([['', new Set()]]);
for (const key of optionKeys) {
  const [name, field] = splitKey(key);
  levels.get('')?.add(name);
  if (field !== undefined) levels.set(name, (levels.get(name) ?? new Set()).add(field));
}

function readLevel(reader: Reader, level: unknown, prefix: string, origin: string): void {
  const known = levels.get(prefix) ?? new Set<string>();
  const given = ownNames(level);
  if (given === undefined || typeof level !== 'object' || level === null) {
    const hint = level === null ? 'leave it out, or undefined, to leave it unset' : undefined;
    reader.refuse(
      prefix === '' ? 'options' : prefix,
      level,
      `an object with ${[...known].join(', ')}`,
      origin,
      hint,
    );
    return;
  }
  if (prefix === 'heartbeat') reader.heartbeatOrigin = origin;
  for (const name of given) {
    if (!known.has(name)) refuseName(reader, prefix, name, known, origin);
  }
  for (const name of known) {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    const found = readProperty(level, name);
    if (found === undefined) reader.refuseUnread(key, origin);
    else if (found.value !== undefined) readKnown(reader, key, found.value, origin);
  }
}

function readKnown(reader: Reader, key: string, value: unknown, origin: string): void {
  if (levels.has(key)) return readLevel(reader, value, key, origin);
  const { kind } = rowOf(key as OptionKey);
  const reading = kind.read(value);
  if (reading.accepted) reader.set(key as OptionKey, reading.value, origin);
  else
    reader.refuse(key, value, kind.range, origin, reading.hint ?? (value === null ? NULL_HINT : undefined));
}

const NULL_HINT = 'undefined leaves it unset';

function refuseName(reader: Reader, prefix: string, name: string, known: Set<string>, origin: string): void {
  const lower = name.toLowerCase();
  // `idle` at the top is keepalive.idle in the wrong place; anything else is a slip of the pen at its own level.
  const misplaced = optionKeys.find(each => each.toLowerCase().split('.').at(-1) === lower);
  const atHome = [...known].some(each => each.toLowerCase() === lower);
  const hint = misplaced !== undefined && !atHome ? `did you mean ${misplaced}?` : didYouMean(name, known);
  const shown = prefix === '' ? renderName(name) : `${prefix}.${renderName(name)}`;
  // An unknown option's value is not shown: it may be a password meant for something else.
  const range = hint === undefined ? `one of ${[...known].join(', ')}` : 'the name of an option';
  reader.add(problem({ key: shown, value: '(not shown)', range, origin }, hint));
}

/** The names an options object sets, or undefined where it isn't one: a list, a Map, a promise, a primitive. */
function ownNames(level: unknown): readonly string[] | undefined {
  if (typeof level !== 'object' || level === null) return undefined;
  try {
    const tag = Object.prototype.toString.call(level);
    return tag === '[object Object]' || tag === '[object Module]' ? Object.keys(level) : undefined;
  } catch {
    return undefined; // A proxy whose traps throw, or a revoked one.
  }
}

/** One read of one property, inherited ones too; undefined where reading threw. */
function readProperty(level: object, name: string): { readonly value: unknown } | undefined {
  try {
    // What every object has (or a polluted prototype lends it) was not set by the caller.
    if (name in Object.prototype && !Object.hasOwn(level, name)) return { value: undefined };
    return { value: Reflect.get(level, name) };
  } catch {
    return undefined;
  }
}

function splitKey(key: OptionKey): [name: string, field: string | undefined] {
  const [name = key, field] = key.split('.');
  return [name, field];
}

function rowOf(key: OptionKey): OptionRow<unknown> {
  return optionTable[key];
}

/** Collects one layer. */
class Reader {
  // No prototype: what a polluted Object.prototype lends must not look like an option.
  readonly #values = Object.create(null) as Record<string, unknown>;
  readonly #origins = new Map<OptionKey, string>();
  readonly #problems: OptionProblem[];
  heartbeatOrigin: string | undefined;
  constructor(earlier: readonly OptionProblem[] = []) {
    this.#problems = [...earlier];
  }
  set(key: OptionKey, value: unknown, origin: string): void {
    this.#values[key] = value;
    this.#origins.set(key, origin);
  }
  add(found: OptionProblem): void {
    this.#problems.push(found);
  }
  refuse(key: string, value: unknown, range: string, origin: string, hint: string | undefined): void {
    this.add(problem({ key, value: renderValue(value), range, origin }, hint));
  }
  refuseUnread(key: string, origin: string): void {
    this.add(
      problem({ key, value: '(reading it threw)', range: 'a value that can be read', origin }, undefined),
    );
  }
  finish(): ReadLayer {
    return {
      values: this.#values,
      origins: this.#origins,
      heartbeatOrigin: this.heartbeatOrigin,
      problems: this.#problems,
    };
  }
}
