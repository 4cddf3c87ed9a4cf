import { HoldfastError } from '../errors.js';
import type { WantedSettings } from '../kernel/binding.js';
import type { AppliedSettings } from '../kernel/kernel.js';
import type { ResolvedOptions } from '../options/types.js';

const MOST_WANTED = 256;
const wantedByKey = new Map<string, WantedSettings>();

/**
 * The kernel settings that options ask for, or with a shorter idle time than theirs. Once a keepalive was answered Linux
 * sends the next one after the longer of idle time and interval, so a shorter idle time takes the interval with it. One
 * object for all sockets that ask for the same, so that their reports can be shared too.
 */
export function wantedOf({ keepalive, userTimeout }: ResolvedOptions, shorter?: number): WantedSettings {
  const { count } = keepalive;
  const idle = shorter ?? keepalive.idle;
  const interval = shorter === undefined ? keepalive.interval : Math.min(keepalive.interval, shorter);
  const key = `${idle}|${interval}|${count}|${String(userTimeout)}`;
  let settings = wantedByKey.get(key);
  if (settings === undefined) {
    const base = { keepalive: true, idle, interval, count };
    settings = Object.freeze(userTimeout === false ? base : { ...base, userTimeout });
    if (wantedByKey.size >= MOST_WANTED) wantedByKey.clear();
    wantedByKey.set(key, settings);
  }
  return settings;
}

/** For `strict`: the error that lists every setting which does not hold, or can't be shown to; undefined when all do. */
export function notEffective(settings: AppliedSettings): HoldfastError | undefined {
  const failed: string[] = [];
  for (const [name, report] of Object.entries(settings) as [string, AppliedSettings['idle']][]) {
    if (report.reason !== undefined) failed.push(`${name} (${report.reason})`);
  }
  if (failed.length === 0) return undefined;
  const message = `strict is on and the kernel does not hold: ${failed.join(', ')}`;
  return new HoldfastError('ERR_HOLDFAST_NOT_EFFECTIVE', message, { details: { settings } });
}
