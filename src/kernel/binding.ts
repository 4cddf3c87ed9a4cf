import type { TcpHandle } from './handle.js';
import type { TcpInfo } from './tcp-info.js';

/** The five settings of one socket. Durations in milliseconds. */
export interface KernelSettings {
  /** SO_KEEPALIVE. */
  readonly keepalive: boolean;
  /** TCP_KEEPIDLE; whole seconds in the kernel, rounded up. */
  readonly idle: number;
  /** TCP_KEEPINTVL; whole seconds in the kernel, rounded up. */
  readonly interval: number;
  /** TCP_KEEPCNT. */
  readonly count: number;
  /** TCP_USER_TIMEOUT; 0 is the kernel's default (about 15 minutes of retransmissions). */
  readonly userTimeout: number;
}

/** What is asked for one socket; without a user timeout the kernel's own is left alone. */
export type WantedSettings = KernelSettings | Omit<KernelSettings, 'userTimeout'>;

export type SettingName = keyof KernelSettings;
export type BindingName = 'node' | 'koffi' | 'net-keepalive';

/** What became of one write: nothing for success, or why it failed, for a person. */
export type WriteFailures = Partial<Record<SettingName, string>>;

/** One way to reach the kernel. A binding never throws: what it can't do it says in `WriteFailures`. */
export interface KernelBinding {
  readonly name: BindingName;
  /** The settings it is able to set on this platform and Node version. */
  readonly sets: ReadonlySet<SettingName>;
  /** Why it can't set the others, for a person. */
  readonly cannot?: WriteFailures;
  write(handle: TcpHandle, settings: Partial<KernelSettings>): WriteFailures;
  /** getsockopt; undefined where this binding can't read, or the descriptor is closed. */
  read(handle: TcpHandle): Partial<KernelSettings> | undefined;
  tcpInfo(handle: TcpHandle): TcpInfo | undefined;
}

/** What the kernel makes of a request: times in whole seconds, except TCP_USER_TIMEOUT. */
export function inKernelUnits(name: SettingName, requested: number | boolean): number | boolean {
  const isRounded = name === 'idle' || name === 'interval';
  return isRounded && typeof requested === 'number' ? wholeSeconds(requested) * 1000 : requested;
}

/** The kernel counts keepalive times in whole seconds; a setting is rounded up so that it never fires early. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
