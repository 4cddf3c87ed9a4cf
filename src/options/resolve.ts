import { formatDuration } from './durations.js';
import { readEnvLayer, type Environment } from './env.js';
import { findPreset } from './presets.js';
import { problem, refuseProblems } from './problems.js';
import { readObject, type ReadLayer } from './read-layer.js';
import {
  MAX_USER_TIMEOUT_MS,
  optionTable,
  type OptionKey,
  type OptionValue,
  type OptionValues,
} from './table.js';
import type {
  HoldfastOptions,
  OptionProblem,
  ResolvedHeartbeat,
  ResolvedOptions,
  ResolvedReconnect,
} from './types.js';

/** Options of one origin. */
export interface OptionLayer {
  readonly values: HoldfastOptions;
  /** Said in problems, such as `options`. */
  readonly origin: string;
}

export interface OptionSources {
  /** HOLDFAST_* variables to use below the options. The environment is not looked at unless it is given here. */
  readonly env?: Environment | undefined;
}

/**
 * Validates options, fills in the defaults and freezes the result. What wins: an option, then the options' preset,
 * then an environment variable, then the environment's preset, then the default. Throws one ERR_HOLDFAST_OPTIONS
 * whose `problems` lists everything that is wrong, in the options and in the environment.
 */
export function resolveOptions(options: HoldfastOptions = {}, { env }: OptionSources = {}): ResolvedOptions {
  const given = readObject(options, 'options');
  return resolve(env === undefined ? [given] : [given, readEnvLayer(env)]);
}

/** The same for any number of layers, the strongest first. Each layer's preset ranks just below the layer itself. */
export function resolveLayers(...layers: readonly OptionLayer[]): ResolvedOptions {
  return resolve(layers.map(({ values, origin }) => readObject(values, origin)));
}

/**
 * One call's options over those of an instance. What was derived in `base` is derived again, so a longer
 * `keepalive.idle` lengthens a `userTimeout` nobody set. Returns `base` itself when the overrides set nothing.
 */
export function withOptions(base: ResolvedOptions, overrides: HoldfastOptions = {}): ResolvedOptions {
  const given = readObject(overrides, 'call options');
  if (given.problems.length === 0 && given.origins.size === 0 && given.heartbeatOrigin === undefined)
    return base;
  return resolve([given, ...(layersOf.get(base) ?? [readObject(settled(base), 'base options')])]);
}

/** What each result was made of, so that it can be made again with something on top. */
const layersOf = new WeakMap<ResolvedOptions, readonly ReadLayer[]>();

/** A result this module did not make, such as a copy: all its values count as set. */
function settled(base: ResolvedOptions): HoldfastOptions {
  return { ...base, targets: base.targets.length > 0 ? base.targets : undefined };
}

function resolve(layers: readonly ReadLayer[]): ResolvedOptions {
  const problems = layers.flatMap(layer => layer.problems);
  const merged = new Merged(layers);
  const idle = merged.pick('keepalive.idle') ?? fallback('keepalive.idle');
  const keepalive = Object.freeze({
    idle,
    interval: merged.own('keepalive.interval') ?? Math.min(KEEPALIVE_INTERVAL, idle),
    count: merged.pick('keepalive.count') ?? fallback('keepalive.count'),
  });
  const resolved: ResolvedOptions = {
    preset: merged.pick('preset'),
    keepalive,
    userTimeout:
      merged.pick('userTimeout') ??
      Math.min(keepalive.idle + keepalive.interval * keepalive.count, MAX_USER_TIMEOUT_MS),
    probeAfterIdle: merged.pick('probeAfterIdle') ?? fallback('probeAfterIdle'),
    probeTimeout: merged.pick('probeTimeout'),
    learn: merged.pick('learn') ?? fallback('learn'),
    heartbeat: resolveHeartbeat(layers, merged, problems),
    reconnect: resolveReconnect(merged, problems),
    resume: merged.pick('resume'),
    maxPendingBytes: merged.pick('maxPendingBytes') ?? fallback('maxPendingBytes'),
    targets: merged.pick('targets') ?? NO_TARGETS,
    backend: merged.pick('backend') ?? fallback('backend'),
    strict: merged.pick('strict') ?? fallback('strict'),
  };
  refuseProblems(problems);
  layersOf.set(resolved, layers);
  return Object.freeze(resolved);
}

/**
 * After an answered keepalive Linux looks again when the interval is over, so an interval longer than the idle time
 * would stretch that: a short idle time shortens the default with it. Presets keep to the same rule.
 */
const KEEPALIVE_INTERVAL = 10_000;

const NO_TARGETS: readonly string[] = Object.freeze([]);
const LONGEST_HEARTBEAT_TIMEOUT = 10_000;

function resolveHeartbeat(
  layers: readonly ReadLayer[],
  merged: Merged,
  problems: OptionProblem[],
): ResolvedHeartbeat | undefined {
  const origin = layers.find(layer => layer.heartbeatOrigin !== undefined)?.heartbeatOrigin;
  if (origin === undefined) return undefined;
  const interval = merged.pick('heartbeat.interval');
  const send = merged.pick('heartbeat.send');
  const missing = (key: OptionKey, hint: string): void => {
    // A value that was refused is a problem already; don't also call it missing.
    if (problems.some(each => each.key === key || each.key === 'heartbeat')) return;
    problems.push(problem({ key, value: 'undefined', range: optionTable[key].kind.range, origin }, hint));
  };
  if (interval === undefined)
    missing('heartbeat.interval', 'a heartbeat needs it, or a preset that counts payload only');
  if (send === undefined) missing('heartbeat.send', 'a heartbeat needs to know what to send');
  if (interval === undefined || send === undefined) return undefined;
  const timeout = merged.pick('heartbeat.timeout') ?? Math.min(interval, LONGEST_HEARTBEAT_TIMEOUT);
  return Object.freeze({ interval, timeout, send, receive: merged.pick('heartbeat.receive') });
}

const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;

function resolveReconnect(merged: Merged, problems: OptionProblem[]): ResolvedReconnect {
  const min = merged.pick('reconnect.minTimeout');
  const max = merged.pick('reconnect.maxTimeout');
  if (min !== undefined && max !== undefined && max < min) {
    const key = 'reconnect.maxTimeout';
    const range = `${formatDuration(min)} (reconnect.minTimeout) or more`;
    problems.push(
      problem({ key, value: formatDuration(max), range, origin: merged.originOf(key) }, undefined),
    );
  }
  return Object.freeze({
    on: merged.pick('reconnect.on') ?? fallback('reconnect.on'),
    retries: merged.pick('reconnect.retries') ?? fallback('reconnect.retries'),
    // Whichever one is set moves the other's default out of its way.
    minTimeout: min ?? Math.min(FIRST_DELAY, max ?? FIRST_DELAY),
    maxTimeout: max ?? Math.max(LONGEST_DELAY, min ?? LONGEST_DELAY),
    factor: merged.pick('reconnect.factor') ?? fallback('reconnect.factor'),
    deadline: merged.pick('reconnect.deadline') ?? fallback('reconnect.deadline'),
  });
}

function fallback<K extends OptionKey>(key: K): OptionValue<K> {
  const { fallback: row } = optionTable[key];
  if ('derived' in row) throw new TypeError(`${key} has no fixed default`);
  return row.value as OptionValue<K>;
}

interface Source {
  readonly values: OptionValues;
  originOf(key: OptionKey): string;
}

/** Layers and their presets as one list, the strongest first. */
class Merged {
  readonly #layers: readonly ReadLayer[];
  readonly #sources: readonly Source[];
  constructor(layers: readonly ReadLayer[]) {
    this.#layers = layers;
    this.#sources = layers.flatMap(layer => {
      const own: Source = { values: layer.values, originOf: key => layer.origins.get(key) ?? 'options' };
      const preset = layer.values.preset;
      return preset === undefined
        ? [own]
        : [own, { values: presetValues(preset), originOf: () => `preset ${preset}` }];
    });
  }
  pick<K extends OptionKey>(key: K): OptionValue<K> | undefined {
    return this.#sourceOf(key)?.values[key];
  }
  /** The same without the presets. */
  own<K extends OptionKey>(key: K): OptionValue<K> | undefined {
    return this.#layers.find(({ values }) => Object.hasOwn(values, key))?.values[key];
  }
  originOf(key: OptionKey): string {
    return this.#sourceOf(key)?.originOf(key) ?? 'default';
  }
  #sourceOf(key: OptionKey): Source | undefined {
    return this.#sources.find(({ values }) => Object.hasOwn(values, key));
  }
}

function presetValues(name: string): OptionValues {
  const settings = findPreset(name)?.settings;
  if (settings === undefined) return {};
  const { keepalive, heartbeatInterval } = settings;
  return {
    'keepalive.idle': keepalive.idle,
    'keepalive.count': keepalive.count,
    ...(heartbeatInterval === undefined ? {} : { 'heartbeat.interval': heartbeatInterval }),
  };
}
