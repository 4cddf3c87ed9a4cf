/* eslint-disable @typescript-eslint/unbound-method -- methods are taken off and called with .apply(handle) */
import type { KernelSettings, WantedSettings } from './binding.js';
import type { TcpHandle } from './handle.js';
import type { AppliedSettings, Kernel } from './kernel.js';

/** What a caller asked of a pinned handle: it is not done, only remembered for the day the pin is lifted. */
export type SuppressedCall = Parameters<TcpHandle['setKeepAlive']>;

/** Who wants a handle's settings to hold. A raw socket and the TLS socket over it share one handle and claim it both. */
export interface Claimant {
  readonly wanted: WantedSettings;
}

interface Pin {
  /** What the kernel held before the first claim; undefined where it can't be read. */
  readonly before: Partial<KernelSettings> | undefined;
  /** Whose settings hold. */
  newest: Claimant;
  /** The claims before that one, oldest first; almost always none, and thousands of sockets have a pin. */
  older: readonly Claimant[];
  /** A `setKeepAlive` that was on the handle object itself. */
  readonly own: TcpHandle['setKeepAlive'] | undefined;
  suppressed: SuppressedCall | undefined;
}

const NONE: readonly Claimant[] = [];
const kPin = Symbol('holdfast.pin');

interface PinnedHandle extends TcpHandle {
  [kPin]?: Pin;
}

/** The pin whose handle the library itself is setting: calls go through. Setting is synchronous, so one will do. */
let lifted: Pin | undefined;

function setKeepAlive(this: PinnedHandle, ...call: SuppressedCall): number {
  const pin = this[kPin];
  if (pin !== undefined && pin !== lifted) {
    pin.suppressed = call;
    return 0;
  }
  const through = pin?.own ?? (Object.getPrototypeOf(this) as TcpHandle).setKeepAlive;
  return through.apply(this, call);
}

/**
 * Sets what `claimant` wants and keeps later `setKeepAlive` calls from undoing it. Drivers, http.Agent and TLS upgrades
 * call it on the socket, and Node forwards each call to the handle with an interval of 1 s and a count of 10; shadowing
 * the method on the lowest handle is what all of those ways have in common. Claiming again sets again.
 */
export function claimSettings(handle: TcpHandle, kernel: Kernel, claimant: Claimant): AppliedSettings {
  const pin = (handle as PinnedHandle)[kPin] ?? makePin(handle, kernel.read(handle), claimant);
  if (pin.newest !== claimant && !pin.older.includes(claimant)) {
    pin.older = [...pin.older, pin.newest];
    pin.newest = claimant;
  }
  return applyThrough(pin, handle, kernel);
}

/**
 * Gives a claim up. What an older or newer claim wants is set again; after the last one the kernel's earlier values are,
 * and the call that was held back meanwhile is done: its caller was told that it had been.
 */
export function giveUpClaim(handle: TcpHandle, kernel: Kernel, claimant: Claimant): void {
  const pin = (handle as PinnedHandle)[kPin];
  if (pin === undefined) return;
  if (pin.newest !== claimant) {
    pin.older = pin.older.filter(older => older !== claimant);
    return;
  }
  const heir = pin.older.at(-1);
  if (heir !== undefined) {
    pin.newest = heir;
    pin.older = pin.older.slice(0, -1);
    applyThrough(pin, handle, kernel);
    return;
  }
  removePin(handle, pin);
  if (pin.before !== undefined) kernel.apply(handle, pin.before as KernelSettings);
  if (pin.suppressed !== undefined) handle.setKeepAlive(...pin.suppressed);
}

/** Everybody who claims the handle, oldest first. */
export function claimsOf(handle: TcpHandle): readonly Claimant[] {
  const pin = (handle as PinnedHandle)[kPin];
  return pin === undefined ? [] : [...pin.older, pin.newest];
}

/** Whose settings hold; undefined where nobody's do. */
export function newestClaim(handle: TcpHandle): Claimant | undefined {
  return (handle as PinnedHandle)[kPin]?.newest;
}

function makePin(handle: TcpHandle, before: Partial<KernelSettings> | undefined, claimant: Claimant): Pin {
  const own = Object.hasOwn(handle, 'setKeepAlive') ? handle.setKeepAlive : undefined;
  const pin: Pin = { before, newest: claimant, older: NONE, own, suppressed: undefined };
  Object.defineProperty(handle, kPin, { value: pin, configurable: true });
  Object.defineProperty(handle, 'setKeepAlive', { value: setKeepAlive, configurable: true, writable: true });
  return pin;
}

function removePin(handle: TcpHandle, pin: Pin): void {
  Reflect.deleteProperty(handle, kPin);
  // Whoever replaced the shadow meanwhile keeps the replacement.
  if (handle.setKeepAlive !== setKeepAlive) return;
  if (pin.own === undefined) Reflect.deleteProperty(handle, 'setKeepAlive');
  else Object.defineProperty(handle, 'setKeepAlive', { value: pin.own });
}

/** Bindings built on Node's own setter reach the kernel; nobody else does. */
function applyThrough(pin: Pin, handle: TcpHandle, kernel: Kernel): AppliedSettings {
  const outer = lifted;
  lifted = pin;
  try {
    return kernel.apply(handle, pin.newest.wanted);
  } finally {
    lifted = outer;
  }
}
