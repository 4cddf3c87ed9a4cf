import type { Lesson } from './lesson.js';

/** What `lessons.export()` gives and `lessons.import()` takes: plain JSON. */
export interface LessonsJson {
  readonly version: 1;
  readonly lessons: readonly Lesson[];
}

/** More than any process remembers; a bound on what a broken file can cost. */
const MOST_READ = 4096;
const LONGEST_SILENCE = 30 * 24 * 3_600_000;
const MOST_WEIGHT = 1000;
/** A clock may run ahead of ours, but not by more than this. */
const CLOCK_SKEW_MS = 24 * 3_600_000;
const MOST_PROBLEMS = 10;

/** Reads exported lessons. Never throws; with any problem nothing of it should be used. */
export function readLessons(
  json: unknown,
  now: number,
): { readonly lessons: readonly Lesson[]; readonly problems: readonly string[] } {
  const { version, lessons } = objectOf(json) ?? {};
  if (version !== 1 || !Array.isArray(lessons)) {
    return { lessons: [], problems: ['it must be an object with version 1 and a list of lessons'] };
  }
  if (lessons.length > MOST_READ) {
    return { lessons: [], problems: [`it holds ${lessons.length} lessons; at most ${MOST_READ} are read`] };
  }
  const problems: string[] = [];
  const read: Lesson[] = [];
  for (const [index, entry] of lessons.entries()) {
    const found = readLesson(entry, now);
    if (typeof found !== 'string') read.push(found);
    else if (problems.length < MOST_PROBLEMS) problems.push(`lessons[${index}]: ${found}`);
  }
  return { lessons: read, problems };
}

function readLesson(entry: unknown, now: number): Lesson | string {
  const value = objectOf(entry);
  if (value === undefined) return 'not an object';
  const { host, port, survived, forgotten, weight, contradictions, at } = value;
  if (typeof host !== 'string' || host === '' || host.length > 255) return 'host must be a name or address';
  if (!isBetween(port, 0, 65_535) || !Number.isInteger(port)) return 'port must be 0 to 65535';
  if (!isBetween(survived, 0, LONGEST_SILENCE)) return 'survived must be milliseconds, up to 30 days';
  if (forgotten !== undefined && !isBetween(forgotten, 1, LONGEST_SILENCE)) {
    return 'forgotten must be milliseconds, 1 to 30 days, or absent';
  }
  if (!isBetween(weight, 0, MOST_WEIGHT)) return `weight must be 0 to ${MOST_WEIGHT}`;
  if (!isBetween(contradictions, 0, MOST_WEIGHT)) return `contradictions must be 0 to ${MOST_WEIGHT}`;
  if (!isBetween(at, 0, now + CLOCK_SKEW_MS))
    return 'at must be milliseconds since the epoch, not in the future';
  return { host, port, survived, forgotten, weight, contradictions, at: Math.min(at, now) };
}

function isBetween(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
