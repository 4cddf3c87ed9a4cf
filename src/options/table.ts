import {
  callback,
  choice,
  decimal,
  duration,
  either,
  flag,
  integer,
  orFalse,
  patterns,
  type Kind,
} from './kinds.js';
import { presetNames } from './presets.js';
import { parseTarget } from './targets.js';
import type { HeartbeatOptions } from './types.js';

/** One option: everything that parsing, defaults, validation, the environment, the CLI and the documentation need. */
export interface OptionRow<T> {
  readonly kind: Kind<T>;
  /** The environment variable, or undefined where there is none. */
  readonly env: string | undefined;
  /** The default, or in words how it is derived. */
  readonly fallback: { readonly value: T } | { readonly derived: string };
  /** One sentence for documentation and help. */
  readonly meaning: string;
  /** The socket option it becomes, where it is one. */
  readonly kernel: string | undefined;
}

function wrongTarget(text: string): string | undefined {
  const parsed = parseTarget(text);
  return typeof parsed === 'string' ? parsed : undefined;
}

const SECOND = 1000;
// The kernel's largest TCP_KEEPIDLE and TCP_KEEPINTVL, in its unit of whole seconds.
const keepaliveTime = duration({ min: SECOND, max: 32_767 * SECOND, unit: SECOND });
// Node's longest timer.
const LONGEST = 2 ** 31 - 1;
const anyTime = duration({ min: 1, max: LONGEST });

/** TCP_USER_TIMEOUT's largest value here, in ms: a signed int. A derived userTimeout stops at it. */
export const MAX_USER_TIMEOUT_MS = 2 ** 31 - 1;

/** THE option table. A row's key is the option's path. */
export const optionTable = {
  preset: row(choice(presetNames, 'a name from docs/presets.md'), {
    env: 'HOLDFAST_PRESET',
    derived: 'none',
    meaning:
      'A NAT or balancer by name: sets keepalive, and the heartbeat interval where only payload counts.',
  }),
  'keepalive.idle': row(keepaliveTime, {
    env: 'HOLDFAST_KEEPALIVE_IDLE',
    value: 30 * SECOND,
    meaning: 'Silence before the first keepalive. Rounded up to whole seconds.',
    kernel: 'TCP_KEEPIDLE',
  }),
  'keepalive.interval': row(keepaliveTime, {
    env: 'HOLDFAST_KEEPALIVE_INTERVAL',
    derived: '10s, or keepalive.idle where that is less',
    meaning:
      'Time between unanswered keepalives. Rounded up to whole seconds. Linux also waits this long after an answered one, so do not set it above keepalive.idle.',
    kernel: 'TCP_KEEPINTVL',
  }),
  'keepalive.count': row(integer({ min: 1, max: 127 }), {
    env: 'HOLDFAST_KEEPALIVE_COUNT',
    value: 3,
    meaning: 'Unanswered keepalives after which the connection is dead.',
    kernel: 'TCP_KEEPCNT',
  }),
  userTimeout: row(orFalse(duration({ min: SECOND, max: MAX_USER_TIMEOUT_MS })), {
    env: 'HOLDFAST_USER_TIMEOUT',
    derived: 'keepalive.idle + keepalive.interval × keepalive.count',
    meaning:
      'How long sent bytes may stay unacknowledged. Also ends a connection whose peer is alive but keeps its receive window at zero for that long. `false` leaves the system’s own limit.',
    kernel: 'TCP_USER_TIMEOUT',
  }),
  probeAfterIdle: row(orFalse(duration({ min: SECOND, max: LONGEST })), {
    env: 'HOLDFAST_PROBE_AFTER_IDLE',
    value: 10 * SECOND,
    meaning:
      'Silence after which a write waits until a probe has shown the path is alive. `false` turns it off.',
  }),
  probeTimeout: row(duration({ min: 10, max: 60 * SECOND }), {
    env: 'HOLDFAST_PROBE_TIMEOUT',
    derived: 'from the measured round trip, within 250ms and 3s',
    meaning: 'A probe without an answer by then means the path is dead.',
  }),
  learn: row(flag(), {
    env: 'HOLDFAST_LEARN',
    value: true,
    meaning: 'After an eviction, probe the destination’s other sockets and shorten their keepalive.',
  }),
  'heartbeat.interval': row(anyTime, {
    derived: 'the preset’s where only payload counts, else required',
    meaning: 'Silence from the peer after which a beat is sent.',
  }),
  'heartbeat.timeout': row(anyTime, {
    derived: 'heartbeat.interval, at most 10s',
    meaning: 'Time the peer has to answer a beat with any byte.',
  }),
  'heartbeat.send': row(callback<HeartbeatOptions['send']>(), {
    derived: 'required with a heartbeat',
    meaning: 'Returns the bytes of one beat, or writes them itself.',
  }),
  'heartbeat.receive': row(callback<NonNullable<HeartbeatOptions['receive']>>(), {
    derived: 'none',
    meaning: 'Takes the reply to a beat out of what the reader gets.',
  }),
  'reconnect.on': row(either(choice(['nat', 'any']), callback<(verdict: unknown) => boolean>()), {
    value: 'nat',
    meaning:
      'Which deaths are answered by a new connection: evictions and silent paths, all, or what a function says.',
  }),
  'reconnect.retries': row(integer({ min: 0, max: Number.MAX_SAFE_INTEGER, unlimited: true }), {
    value: Infinity,
    meaning: 'Attempts after the first of one outage.',
  }),
  'reconnect.minTimeout': row(anyTime, {
    derived: '100ms, or reconnect.maxTimeout where that is less',
    meaning: 'First backoff delay.',
  }),
  'reconnect.maxTimeout': row(anyTime, {
    derived: '30s, or reconnect.minTimeout where that is more',
    meaning: 'Longest backoff delay; not below reconnect.minTimeout.',
  }),
  'reconnect.factor': row(decimal({ min: 1, max: 10 }), {
    value: 2,
    meaning: 'Growth of the delay from one attempt to the next.',
  }),
  'reconnect.deadline': row(anyTime, {
    value: 30 * SECOND,
    meaning: 'Time one attempt may take: DNS, TCP, TLS and resume hook together.',
  }),
  resume: row(callback<(session: unknown) => unknown>(), {
    derived: 'none',
    meaning: 'Restores the session on each new connection after the first.',
  }),
  maxPendingBytes: row(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), {
    value: 16 * 1024 * 1024,
    meaning:
      'Bytes of writes held while there is no connection; past it a write fails and says it was not sent.',
  }),
  targets: row(patterns(wrongTarget), {
    env: 'HOLDFAST_TARGETS',
    derived: 'every TCP peer that is not loopback',
    meaning: 'Which peers `holdfast/register` hardens: host globs, CIDR blocks, ports, `!` to exclude.',
  }),
  backend: row(choice(['auto', 'node', 'koffi', 'net-keepalive']), {
    env: 'HOLDFAST_BACKEND',
    value: 'auto',
    meaning: 'How socket options are set: by Node alone or through a native binding.',
  }),
  strict: row(flag(), {
    env: 'HOLDFAST_STRICT',
    value: false,
    meaning: 'Throw where an option could not be made effective.',
  }),
} as const;

/** The path of an option, such as `keepalive.idle`. */
export type OptionKey = keyof typeof optionTable;

/** What an option's value is once read. */
export type OptionValue<K extends OptionKey> = (typeof optionTable)[K] extends OptionRow<infer T> ? T : never;

/** The options a layer sets, by path. */
export type OptionValues = { readonly [K in OptionKey]?: OptionValue<K> };

/** Every key, in the table's order. */
export const optionKeys: readonly OptionKey[] = Object.freeze(Object.keys(optionTable) as OptionKey[]);

type RowDetails<T> = { readonly meaning: string; readonly env?: string; readonly kernel?: string } & (
  { readonly value: NoInfer<T> } | { readonly derived: string }
);

function row<T>(kind: Kind<T>, details: RowDetails<T>): OptionRow<T> {
  const { meaning, env, kernel } = details;
  const fallback = 'derived' in details ? { derived: details.derived } : { value: details.value };
  return Object.freeze({ kind, env, kernel, meaning, fallback: Object.freeze(fallback) });
}
