import { formatDuration, parseDuration } from './durations.js';
import { didYouMean } from './nearest.js';
import { renderValue } from './render-value.js';

/** What reading one value gave: the value as the library uses it, or a refusal, with a hint where one helps. */
export type Reading<T> =
  | { readonly accepted: true; readonly value: T }
  | { readonly accepted: false; readonly hint: string | undefined };

/** What kind of value an option takes. One kind reads values from code and text from the environment or a flag. */
export interface Kind<T> {
  /** For documentation, such as `duration`. */
  readonly type: string;
  /** What is allowed, such as `1s to 32767s`. */
  readonly range: string;
  /** Reads what a program passed. Never throws and never coerces. */
  read(value: unknown): Reading<T>;
  /** Reads text: an environment variable or a command-line flag. Never throws. */
  readText(text: string): Reading<T>;
  /** Writes a value the way a person would write it. */
  show(value: T): string;
}

const accept = <T>(value: T): Reading<T> => ({ accepted: true, value });
const refuse = (hint?: string): Reading<never> => ({ accepted: false, hint });

export interface DurationLimits {
  readonly min: number;
  readonly max: number;
  /** The step the kernel counts in, in ms; values are rounded up to it. Default 1. */
  readonly unit?: number;
}

/** A duration, resolved to whole milliseconds or a multiple of a coarser unit, rounded up. */
export function duration({ min, max, unit = 1 }: DurationLimits): Kind<number> {
  const read = (value: unknown): Reading<number> => {
    const parsed = parseDuration(value);
    if (parsed === undefined)
      return refuse(typeof value === 'string' ? "write it as '500ms', '30s' or '2m'" : undefined);
    if (parsed >= min && parsed <= max) return accept(Math.ceil(parsed / unit) * unit);
    // The classic mistake: seconds meant, milliseconds read.
    const seconds = parsed * 1000;
    const bare = Number(value) === parsed && parsed < min && seconds >= min && seconds <= max;
    return refuse(bare ? `${parsed} means ${parsed} ms; write ${parsed}s` : undefined);
  };
  const range = `${formatDuration(min)} to ${max % 1000 === 0 ? `${max / 1000}s` : `${max}ms`}`;
  return { type: 'duration', range, read, readText: read, show: formatDuration };
}

/** What `kind` takes, or `false` (in text also `off`) to turn the option off. */
export function orFalse<T>(kind: Kind<T>): Kind<T | false> {
  const offHint = (reading: Reading<T>, off: boolean): Reading<T> =>
    reading.accepted || !off ? reading : refuse('false turns it off');
  return {
    type: `${kind.type} or false`,
    range: `${kind.range}, or false`,
    read: value =>
      value === false
        ? accept(false)
        : offHint(kind.read(value), value === 0 || value === null || value === Infinity),
    readText: text =>
      /^(?:false|off)$/i.test(text)
        ? accept(false)
        : offHint(kind.readText(text), /^(?:0\w*|no|none|never)$/i.test(text)),
    show: value => (value === false ? 'false' : kind.show(value)),
  };
}

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  /** Whether `Infinity` is allowed, past `max`. */
  readonly unlimited?: boolean;
}

/** A whole number. */
export function integer({ min, max, unlimited = false }: NumberLimits): Kind<number> {
  const range = `a whole number, ${min} to ${max}${unlimited ? ', or Infinity' : ''}`;
  const allows = (value: number): boolean =>
    (Number.isInteger(value) && value >= min && value <= max) || (unlimited && value === Infinity);
  return numeric('integer', range, allows);
}

/** A number that may have a fraction. */
export function decimal({ min, max }: NumberLimits): Kind<number> {
  return numeric('number', `${min} to ${max}`, value => value >= min && value <= max);
}

function numeric(type: string, range: string, allows: (value: number) => boolean): Kind<number> {
  const read = (value: unknown): Reading<number> => {
    if (typeof value === 'number') return allows(value) ? accept(value + 0) : refuse();
    const meant = typeof value === 'string' ? numberIn(value) : undefined;
    return refuse(meant !== undefined && allows(meant) ? `write the number ${meant}, not text` : undefined);
  };
  const readText = (text: string): Reading<number> => {
    const value = numberIn(text);
    return value !== undefined && allows(value) ? accept(value) : refuse();
  };
  return { type, range, read, readText, show: String };
}

/** Plain decimal digits only: `Number` alone would take '', '0x10' and '1e3'. */
function numberIn(text: string): number | undefined {
  if (text === 'Infinity') return Infinity;
  return /^\d{1,16}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

const SWITCH = new Map([
  ...['true', '1', 'yes', 'on'].map(word => [word, true] as const),
  ...['false', '0', 'no', 'off'].map(word => [word, false] as const),
]);

/** true or false; in text also 1, 0, yes, no, on and off, in any case. */
export function flag(): Kind<boolean> {
  const readText = (text: string): Reading<boolean> => {
    const value = SWITCH.get(text.toLowerCase());
    return value === undefined ? refuse('in text: true, false, 1, 0, yes, no, on or off') : accept(value);
  };
  const read = (value: unknown): Reading<boolean> => {
    if (typeof value === 'boolean') return accept(value);
    const meant = typeof value === 'string' ? SWITCH.get(value.toLowerCase()) : undefined;
    return refuse(meant === undefined ? undefined : `write the boolean ${meant}, not text`);
  };
  return { type: 'boolean', range: 'true or false', read, readText, show: String };
}

/** One of a list of words. `range` replaces the list where it is long. */
export function choice<const W extends string>(
  words: readonly W[],
  range: string = words.join(', '),
): Kind<W> {
  const readText = (text: string): Reading<W> => {
    const word = words.find(each => each === text);
    return word === undefined ? refuse(didYouMean(text, words)) : accept(word);
  };
  const read = (value: unknown): Reading<W> => (typeof value === 'string' ? readText(value) : refuse());
  return { type: 'name', range, read, readText, show: word => word };
}

/** A function, which text can't carry. The signature is the caller's promise: it can't be checked here. */
export function callback<F>(): Kind<F> {
  const read = (value: unknown): Reading<F> => (typeof value === 'function' ? accept(value as F) : refuse());
  return { type: 'function', range: 'a function', read, readText: () => refuse(), show: () => 'function' };
}

/** What `first` takes, else what `second` takes. */
export function either<A, B>(first: Kind<A>, second: Kind<B>): Kind<A | B> {
  const firstAccepted = (one: Reading<A>, other: Reading<B>): Reading<A | B> =>
    one.accepted ? one : other.accepted ? other : refuse(one.hint ?? other.hint);
  return {
    type: `${first.type} or ${second.type}`,
    range: `${first.range}, or ${second.range}`,
    read: value => firstAccepted(first.read(value), second.read(value)),
    readText: text => firstAccepted(first.readText(text), second.readText(text)),
    show: value => (typeof value === 'string' ? value : renderValue(value)),
  };
}

/** More patterns than anyone writes by hand; a bound on what a broken list can cost. */
const MAX_PATTERNS = 1000;

/**
 * One or more non-empty patterns: a list, or one string with commas between them.
 * @param refusalOf what is wrong with one pattern, for a person; undefined when nothing is
 */
export function patterns(
  refusalOf: (pattern: string) => string | undefined = () => undefined,
): Kind<readonly string[]> {
  const check = (list: readonly unknown[]): Reading<readonly string[]> => {
    const texts = list.flatMap(item => (typeof item === 'string' && item.trim() !== '' ? [item.trim()] : []));
    if (texts.length !== list.length) return refuse('an entry is empty or not a string');
    if (texts.length === 0) return refuse('leave it unset to mean every peer');
    const wrong = texts.flatMap(text => refusalOf(text) ?? []);
    return wrong.length === 0 ? accept(Object.freeze(texts)) : refuse(wrong.join('; '));
  };
  const readText = (text: string): Reading<readonly string[]> => check(text.split(','));
  const read = (value: unknown): Reading<readonly string[]> => {
    if (typeof value === 'string') return readText(value);
    const list = copyList(value);
    return list === undefined ? refuse() : check(list);
  };
  const range = 'one or more patterns, in a list or with commas between';
  return { type: 'list of patterns', range, read, readText, show: list => list.join(',') };
}

/** A plain copy, so that the caller's list is read once; undefined for what isn't a list of bearable length. */
function copyList(value: unknown): readonly unknown[] | undefined {
  try {
    if (!Array.isArray(value) || value.length > MAX_PATTERNS) return undefined;
    return Array.from<unknown>(value);
  } catch {
    return undefined; // A proxy's trap or an entry's getter threw: not a list that can be read.
  }
}
