import ms from 'ms';
import { LabError } from './lab-error.js';

/**
 * What the NAT does about a flow it has forgotten.
 * - `drop`: swallows its packets; whoever writes hears nothing.
 * - `reset-on-packet`: answers the next packet of either side with a RST to that side.
 * - `reset-at-expiry`: sends both sides a RST when it forgets; the kernel backend looks for that every 250 ms.
 */
export type Expiry = 'drop' | 'reset-on-packet' | 'reset-at-expiry';

/** `kernel` is Linux's own NAT in network namespaces; `emulated` is a relay on loopback. */
export type BackendName = 'kernel' | 'emulated';

/** What can be changed while the lab runs. */
export interface NatSettings {
  /**
   * Silence after which the NAT forgets a flow: milliseconds, or a string with a unit such as `'3s'`; from 10 ms to
   * 2147483647 ms. The kernel backend counts in whole seconds and rounds up. Default 3 s.
   */
  readonly idleTimeout?: number | string | undefined;
  /** What happens to the packets of a forgotten flow. Default `'reset-on-packet'`. */
  readonly expiry?: Expiry | undefined;
}

export interface NatLabOptions extends NatSettings {
  /** Default `'auto'`: the kernel backend where it can be built, else the emulated one. */
  readonly backend?: 'auto' | BackendName | undefined;
}

/** {@link NatSettings} in force: milliseconds, nothing left out. */
export interface EffectiveSettings {
  readonly idleTimeout: number;
  readonly expiry: Expiry;
}

export interface EffectiveOptions extends EffectiveSettings {
  readonly backend: 'auto' | BackendName;
}

const EXPIRIES: readonly Expiry[] = ['drop', 'reset-on-packet', 'reset-at-expiry'];
const BACKENDS = ['auto', 'kernel', 'emulated'] as const;
const SHORTEST_MS = 10;
const LONGEST_MS = 2 ** 31 - 1;
const WITH_UNIT = /^\d+(\.\d+)?\s*[a-z]+$/i;

const DEFAULTS: EffectiveOptions = { idleTimeout: 3000, expiry: 'reset-on-packet', backend: 'auto' };

/** Checks the options of `createNatLab` and fills in the defaults. Throws one {@link LabError} naming every problem. */
export function resolveOptions(options: unknown): EffectiveOptions {
  const problems = new Problems('createNatLab', options, ['idleTimeout', 'expiry', 'backend']);
  const resolved: EffectiveOptions = {
    idleTimeout: problems.duration('idleTimeout') ?? DEFAULTS.idleTimeout,
    expiry: problems.oneOf('expiry', EXPIRIES) ?? DEFAULTS.expiry,
    backend: problems.oneOf('backend', BACKENDS) ?? DEFAULTS.backend,
  };
  problems.throwIfAny();
  return Object.freeze(resolved);
}

/** Checks the argument of `configure`; what it leaves out stays as it is. */
export function resolveSettings(settings: unknown, current: EffectiveSettings): EffectiveSettings {
  const problems = new Problems('configure', settings, ['idleTimeout', 'expiry']);
  const resolved: EffectiveSettings = {
    idleTimeout: problems.duration('idleTimeout') ?? current.idleTimeout,
    expiry: problems.oneOf('expiry', EXPIRIES) ?? current.expiry,
  };
  problems.throwIfAny();
  return Object.freeze(resolved);
}

class Problems {
  readonly #caller: string;
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #found: string[] = [];

  constructor(caller: string, given: unknown, known: readonly string[]) {
    this.#caller = caller;
    this.#given = isRecord(given) ? given : {};
    if (given !== undefined && !isRecord(given))
      this.#found.push(`the options must be an object, got ${show(given)}`);
    for (const key of Object.keys(this.#given)) {
      if (!known.includes(key)) this.#found.push(`unknown option ${key} (known: ${known.join(', ')})`);
    }
  }

  duration(key: string): number | undefined {
    const value = this.#given[key];
    if (value === undefined) return undefined;
    const length = typeof value === 'string' && WITH_UNIT.test(value) ? parse(value) : value;
    if (typeof length === 'number' && length >= SHORTEST_MS && length <= LONGEST_MS) return length;
    const range = `${SHORTEST_MS} to ${LONGEST_MS} milliseconds, or a string with a unit such as '3s'`;
    this.#found.push(`${key} is ${show(value)}, allowed: ${range}`);
    return undefined;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T | undefined {
    const value = this.#given[key];
    if (value === undefined) return undefined;
    const match = allowed.find(one => one === value);
    if (match === undefined) this.#found.push(`${key} is ${show(value)}, allowed: ${allowed.join(', ')}`);
    return match;
  }

  throwIfAny(): void {
    if (this.#found.length > 0) throw new LabError(`${this.#caller}: ${this.#found.join('; ')}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function parse(text: string): number | undefined {
  // The types of `ms` know only literal strings, and deny that it returns undefined for an unknown unit.
  return (ms as (text: string) => number | undefined)(text);
}
