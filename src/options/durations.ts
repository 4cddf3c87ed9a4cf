import ms, { type StringValue } from 'ms';

/** What a duration may look like in text: a number and one short unit. `ms` alone would take '1 year' and '-5s'. */
const TEXT = /^\d{1,15}(?:\.\d{1,9})? ?(?:ms|s|m|h|d)?$/;

/**
 * Reads a duration: a number of milliseconds, or text such as `'30s'`. A number without a unit, in text too, is
 * milliseconds. Returns undefined for anything else: NaN, Infinity, negative values, empty text, other types.
 */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) && value >= 0 ? toMicroseconds(value) : undefined;
  if (typeof value !== 'string' || !TEXT.test(value)) return undefined;
  return toMicroseconds(ms(value as StringValue));
}

/**
 * '1.1s' is 1100.0000000000002 in binary, and 0.3 * 10_000 isn't 3000 either: a later rounding up to the kernel's
 * unit must not see more than was meant.
 */
function toMicroseconds(value: number): number {
  return value < 1e12 ? Math.round(value * 1000) / 1000 : value;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/**
 * Writes milliseconds for a person: the largest unit that needs no fraction, else seconds, below one second
 * milliseconds. At most three decimals. Whole milliseconds come back unchanged from {@link parseDuration}.
 */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return String(milliseconds);
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  const value = toMicroseconds(milliseconds);
  const unit = UNITS.find(([, size]) => value >= size && value % size === 0);
  if (unit) return `${value / unit[1]}${unit[0]}`;
  return value > 1000 ? `${Math.round(value) / 1000}s` : `${value}ms`;
}
