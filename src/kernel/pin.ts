import type { TcpHandle } from './handle.js';

/** What a caller asked of a pinned handle: it is not done, only remembered for the day the pin is lifted. */
export type SuppressedCall = Parameters<TcpHandle['setKeepAlive']>;

const kSuppressed = Symbol('holdfast.suppressedKeepAlive');

interface PinnedHandle extends TcpHandle {
  [kSuppressed]?: { last: SuppressedCall | undefined };
}

function suppressed(this: PinnedHandle, ...call: SuppressedCall): number {
  const state = this[kSuppressed];
  if (state !== undefined) state.last = call;
  return 0;
}

/**
 * Keeps later `setKeepAlive` calls from undoing ours. Drivers, http.Agent and TLS upgrades call it on the socket,
 * and Node forwards each call to the handle with an interval of 1 s and a count of 10; shadowing the method on the
 * lowest handle is what all of those ways have in common.
 */
export function pinKeepalive(handle: TcpHandle): void {
  const pinned = handle as PinnedHandle;
  if (pinned[kSuppressed] !== undefined) return;
  Object.defineProperty(pinned, kSuppressed, { value: { last: undefined }, configurable: true });
  Object.defineProperty(pinned, 'setKeepAlive', { value: suppressed, configurable: true, writable: true });
}

/** Runs `fn` with the handle's own setter in place, so that a binding built on it can still set. */
export function withoutPin<T>(handle: TcpHandle, fn: () => T): T {
  const state = (handle as PinnedHandle)[kSuppressed];
  if (state === undefined) return fn();
  unpinKeepalive(handle);
  try {
    return fn();
  } finally {
    pinKeepalive(handle);
    const again = (handle as PinnedHandle)[kSuppressed];
    if (again !== undefined) again.last = state.last;
  }
}

/** Lifts the pin. @returns the last call that was held back, which the caller may now want to honour. */
export function unpinKeepalive(handle: TcpHandle): SuppressedCall | undefined {
  const pinned = handle as PinnedHandle;
  const state = pinned[kSuppressed];
  if (state === undefined) return undefined;
  Reflect.deleteProperty(pinned, kSuppressed);
  Reflect.deleteProperty(pinned, 'setKeepAlive');
  return state.last;
}
