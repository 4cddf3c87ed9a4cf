import type { BackendName } from '../options/types.js';
import {
  inKernelUnits,
  type BindingName,
  type KernelBinding,
  type KernelSettings,
  type SettingName,
  type WantedSettings,
} from './binding.js';
import { loadKoffiBinding } from './bindings/koffi.js';
import { loadNetKeepAliveBinding } from './bindings/net-keepalive.js';
import { loadNodeBinding } from './bindings/node.js';
import type { TcpHandle } from './handle.js';
import type { TcpInfo } from './tcp-info.js';

/** What became of one setting of one socket. */
export interface SettingReport<T extends number | boolean = number> {
  /** What was asked for; durations in milliseconds. */
  readonly requested: T;
  /** What getsockopt says holds now; undefined where nothing here can read it back. */
  readonly effective: T | undefined;
  /** Which binding set it; undefined where none could. */
  readonly binding: BindingName | undefined;
  /**
   * Why it does not hold, or why that is not known; undefined when all is well. Rounding up to the kernel's unit, which
   * shows in `effective`, is well.
   */
  readonly reason: string | undefined;
}

/** What was asked of the kernel for one socket, and what holds. */
export interface AppliedSettings {
  readonly keepalive: SettingReport<boolean>;
  readonly idle: SettingReport;
  readonly interval: SettingReport;
  readonly count: SettingReport;
  /** Absent when `userTimeout` is `false`: the kernel's value is left alone. */
  readonly userTimeout?: SettingReport;
}

/** Processes use a few settings on many sockets. */
const MOST_SEEN = 256;
const SETTING_NAMES: readonly SettingName[] = ['keepalive', 'idle', 'interval', 'count', 'userTimeout'];

/** The operating system as one backend choice sees it: an ordered stack of bindings, the first able one wins. */
export class Kernel {
  readonly bindings: readonly KernelBinding[];
  /** Bindings that were tried and can't be used, and why. */
  readonly unavailable: Readonly<Partial<Record<BindingName, string>>>;
  readonly #reader: KernelBinding | undefined;
  /** Reports of requests that were met whole, by the request object: thousands of sockets share one. */
  readonly #met = new WeakMap<object, AppliedSettings>();
  readonly #seen = new Map<string, Partial<KernelSettings>>();

  constructor(bindings: readonly KernelBinding[], unavailable: Partial<Record<BindingName, string>> = {}) {
    this.bindings = bindings;
    this.unavailable = unavailable;
    this.#reader = bindings.find(binding => binding.name === 'koffi');
  }

  /** Whether settings can be read back, TCP_INFO read and a path probed. */
  get canRead(): boolean {
    return this.#reader !== undefined;
  }

  /** getsockopt. Sockets that hold the same get the same object. */
  read(handle: TcpHandle): Partial<KernelSettings> | undefined {
    const found = this.#reader?.read(handle);
    if (found === undefined) return undefined;
    const key = SETTING_NAMES.map(name => String(found[name])).join();
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
    this.#seen.set(key, Object.freeze(found));
    return found;
  }

  tcpInfo(handle: TcpHandle): TcpInfo | undefined {
    return this.#reader?.tcpInfo(handle);
  }

  /** Sets without reading back: for the probe, which restores what it lowers. */
  write(handle: TcpHandle, settings: Partial<KernelSettings>): void {
    this.#reader?.write(handle, settings);
  }

  /** Sets each of `wanted` by the first binding that can, then reads back what holds. */
  apply(handle: TcpHandle, wanted: WantedSettings): AppliedSettings {
    const asked = wanted as Partial<KernelSettings>;
    const setBy: Partial<Record<SettingName, BindingName>> = {};
    const failures: Partial<Record<SettingName, string>> = {};
    let missing = SETTING_NAMES.filter(name => asked[name] !== undefined);
    for (const binding of this.bindings) {
      const able = missing.filter(name => binding.sets.has(name));
      if (able.length === 0) continue;
      const failed = binding.write(handle, Object.fromEntries(able.map(name => [name, asked[name]])));
      for (const name of able) {
        const why = failed[name];
        if (why === undefined) setBy[name] = binding.name;
        else failures[name] = `${binding.name}: ${why}`;
      }
      missing = missing.filter(name => setBy[name] === undefined);
    }
    const effective = this.read(handle);
    const met = SETTING_NAMES.every(name => holds(name, asked[name], effective?.[name]));
    const known = met && missing.length === 0 ? this.#met.get(wanted) : undefined;
    if (known !== undefined) return known;
    const report = this.#report(asked, effective, setBy, failures);
    if (met && missing.length === 0) this.#met.set(wanted, report);
    return report;
  }

  #report(
    asked: Partial<KernelSettings>,
    effective: Partial<KernelSettings> | undefined,
    setBy: Partial<Record<SettingName, BindingName>>,
    failures: Partial<Record<SettingName, string>>,
  ): AppliedSettings {
    const report: Partial<Record<SettingName, SettingReport<number | boolean>>> = {};
    for (const name of SETTING_NAMES) {
      const requested = asked[name];
      if (requested === undefined) continue;
      const found = effective?.[name];
      report[name] = {
        requested,
        effective: found,
        binding: setBy[name],
        reason: this.#reason(name, requested, found, setBy[name], failures[name]),
      };
    }
    return report as unknown as AppliedSettings;
  }

  #reason(
    name: SettingName,
    requested: number | boolean,
    found: number | boolean | undefined,
    setBy: BindingName | undefined,
    failure: string | undefined,
  ): string | undefined {
    if (setBy === undefined) {
      if (failure !== undefined) return failure;
      const able = this.bindings.flatMap(({ name: binding, cannot }) => {
        const why = cannot?.[name];
        return why === undefined ? [] : [`${binding}: ${why}`];
      });
      const missing = Object.entries(this.unavailable).map(([binding, reason]) => `${binding}: ${reason}`);
      return [`no binding can set ${name} here`, ...able, ...missing].join('; ');
    }
    if (found === undefined) return 'set, not read back: no binding here can read it';
    return holds(name, requested, found) ? undefined : `the kernel holds ${String(found)}`;
  }
}

function holds(
  name: SettingName,
  requested: number | boolean | undefined,
  found: number | boolean | undefined,
): boolean {
  return requested === undefined || inKernelUnits(name, requested) === found;
}

const loaders: Readonly<Record<BindingName, () => KernelBinding | string>> = {
  koffi: loadKoffiBinding,
  node: loadNodeBinding,
  'net-keepalive': loadNetKeepAliveBinding,
};

const STACKS: Readonly<Record<BackendName, readonly BindingName[]>> = {
  // Loading stops at koffi where koffi loads: it sets and reads everything. Node's setter comes before the package's,
  // which leaks a little with every call.
  auto: ['koffi', 'node', 'net-keepalive'],
  koffi: ['koffi'],
  node: ['node'],
  'net-keepalive': ['net-keepalive'],
};

const kernels = new Map<BackendName, Kernel>();

/** The kernel for a backend choice. Bindings are loaded at the first call and shared by the whole thread. */
export function kernelFor(backend: BackendName): Kernel {
  let kernel = kernels.get(backend);
  if (kernel === undefined) {
    const bindings: KernelBinding[] = [];
    const unavailable: Partial<Record<BindingName, string>> = {};
    for (const name of STACKS[backend]) {
      const loaded = loaders[name]();
      if (typeof loaded === 'string') unavailable[name] = loaded;
      else bindings.push(loaded);
      if (name === 'koffi' && typeof loaded !== 'string' && loaded.sets.has('userTimeout')) break;
    }
    kernel = new Kernel(bindings, unavailable);
    kernels.set(backend, kernel);
  }
  return kernel;
}
