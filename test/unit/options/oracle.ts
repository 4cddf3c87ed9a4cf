import { parseTarget } from '../../../src/options/targets.js';
import { presetNames } from '../../../src/options/presets.js';

/**
 * What each option takes and means, written a second time and in another way than src/options does, so that a
 * mistake there has something to differ from.
 */
export const REFUSED = Symbol('refused');

type Meaning = (value: unknown) => unknown;

const SIZES: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return NaN;
  const unit = ['ms', 's', 'm', 'h', 'd'].find(each => value.endsWith(each)) ?? '';
  let digits = value.slice(0, value.length - unit.length);
  if (digits.endsWith(' ')) digits = digits.slice(0, -1);
  const [whole = '', fraction = '0', ...rest] = digits.split('.');
  const allDigits = Array.from(whole + fraction).every(char => char >= '0' && char <= '9');
  if (
    !allDigits ||
    whole === '' ||
    fraction === '' ||
    rest.length > 0 ||
    whole.length > 15 ||
    fraction.length > 9
  ) {
    return NaN;
  }
  return Number(digits) * (SIZES[unit] ?? 1);
}

const time =
  (min: number, max: number, unit = 1): Meaning =>
  value => {
    const exact = milliseconds(value);
    // Less than half a microsecond is noise of the binary fraction.
    const units = Math.round((exact / unit) * 1e6) / 1e6;
    const near = Math.round(exact * 1000) / 1000;
    return near >= min && near <= max ? Math.ceil(units) * unit : REFUSED;
  };
const orOff =
  (meaning: Meaning): Meaning =>
  value =>
    value === false ? false : meaning(value);
const number =
  (allows: (value: number) => boolean): Meaning =>
  value =>
    typeof value === 'number' && allows(value) ? (value === 0 ? 0 : value) : REFUSED;
const whole = (min: number, max: number): Meaning =>
  number(value => value % 1 === 0 && value >= min && value <= max);
const when =
  (test: (value: unknown) => boolean): Meaning =>
  value =>
    test(value) ? value : REFUSED;
const oneOf = (...words: readonly unknown[]): Meaning => when(value => words.includes(value));
const isFunction = (value: unknown): boolean => typeof value === 'function';

function targets(value: unknown): unknown {
  let list: unknown[];
  try {
    if (typeof value === 'string') list = value.split(',');
    else if (Array.isArray(value) && value.length <= 1000) list = [...(value as unknown[])];
    else return REFUSED;
  } catch {
    return REFUSED;
  }
  if (list.length === 0 || list.some(each => typeof each !== 'string' || each.trim() === '')) return REFUSED;
  const entries = list.map(each => String(each).trim());
  // The grammar of one entry has tests of its own, in test/unit/register/targets.test.ts.
  return entries.every(entry => typeof parseTarget(entry) !== 'string') ? entries : REFUSED;
}

const LONGEST = 2_147_483_647;
const keepaliveTime = time(1000, 32_767_000, 1000);

export const oracle = {
  preset: oneOf(...presetNames),
  'keepalive.idle': keepaliveTime,
  'keepalive.interval': keepaliveTime,
  'keepalive.count': whole(1, 127),
  userTimeout: orOff(time(1000, LONGEST)),
  probeAfterIdle: orOff(time(1000, LONGEST)),
  probeTimeout: time(10, 60_000),
  learn: oneOf(true, false),
  'heartbeat.interval': time(1, LONGEST),
  'heartbeat.timeout': time(1, LONGEST),
  'heartbeat.send': when(isFunction),
  'heartbeat.receive': when(isFunction),
  'reconnect.on': when(value => value === 'nat' || value === 'any' || isFunction(value)),
  'reconnect.retries': number(value => value === Infinity || (Number.isSafeInteger(value) && value >= 0)),
  'reconnect.minTimeout': time(1, LONGEST),
  'reconnect.maxTimeout': time(1, LONGEST),
  'reconnect.factor': number(value => value >= 1 && value <= 10),
  'reconnect.deadline': time(1, LONGEST),
  resume: when(isFunction),
  maxPendingBytes: whole(0, 2 ** 53 - 1),
  targets,
  backend: oneOf('auto', 'node', 'koffi', 'net-keepalive'),
  strict: oneOf(true, false),
} satisfies Record<string, Meaning>;

/** What `value` means for the option `key`, or REFUSED. */
export function expectedOf(key: keyof typeof oracle, value: unknown): unknown {
  return oracle[key](value);
}

const textOrOff =
  (meaning: Meaning): Meaning =>
  text =>
    ['false', 'off'].includes(String(text).toLowerCase()) ? false : meaning(text);

function textSwitch(text: unknown): unknown {
  const position = ['false', 'true', '0', '1', 'no', 'yes', 'off', 'on'].indexOf(String(text).toLowerCase());
  return position < 0 ? REFUSED : position % 2 === 1;
}

function textCount(text: unknown): unknown {
  const digits =
    Array.from(String(text)).every(char => '0123456789.'.includes(char)) && /\d$/.test(String(text));
  return digits && /^\d/.test(String(text)) ? whole(1, 127)(Number(text)) : REFUSED;
}

/** The same for each environment variable, whose text has been trimmed. */
export const textOracle: Record<string, { readonly key: keyof typeof oracle; readonly read: Meaning }> = {
  HOLDFAST_PRESET: { key: 'preset', read: oracle.preset },
  HOLDFAST_KEEPALIVE_IDLE: { key: 'keepalive.idle', read: keepaliveTime },
  HOLDFAST_KEEPALIVE_INTERVAL: { key: 'keepalive.interval', read: keepaliveTime },
  HOLDFAST_KEEPALIVE_COUNT: { key: 'keepalive.count', read: textCount },
  HOLDFAST_USER_TIMEOUT: { key: 'userTimeout', read: textOrOff(time(1000, LONGEST)) },
  HOLDFAST_PROBE_AFTER_IDLE: { key: 'probeAfterIdle', read: textOrOff(time(1000, LONGEST)) },
  HOLDFAST_PROBE_TIMEOUT: { key: 'probeTimeout', read: oracle.probeTimeout },
  HOLDFAST_LEARN: { key: 'learn', read: textSwitch },
  HOLDFAST_TARGETS: { key: 'targets', read: targets },
  HOLDFAST_BACKEND: { key: 'backend', read: oracle.backend },
  HOLDFAST_STRICT: { key: 'strict', read: textSwitch },
};
