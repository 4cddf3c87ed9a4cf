import type { Attributes } from '@opentelemetry/api';
import type { HoldfastEvents } from '../events/events.js';

type Target = HoldfastEvents['probed']['target'];

/** Each target is a time series of every instrument, held for as long as the process runs. */
const MOST_TARGETS = 64;

const OTHER: Attributes = Object.freeze({ 'server.address': '_OTHER' });
const UNKNOWN: Attributes = Object.freeze({});

/**
 * `server.address` (the host as it was asked for) and `server.port`, of the first 64 targets. All later ones share the
 * address `_OTHER`; a target that is not known has neither.
 */
export class TargetAttributes {
  readonly #known = new Map<string, Attributes>();

  /** @returns the same object for the same target */
  of(target: Target): Attributes {
    if (target === undefined) return UNKNOWN;
    const { host, port } = target;
    const key = `${port} ${host}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_TARGETS) return OTHER;
    const attributes = Object.freeze({ 'server.address': host, 'server.port': port });
    this.#known.set(key, attributes);
    return attributes;
  }
}
