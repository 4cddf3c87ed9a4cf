import type { Attributes, UpDownCounter } from '@opentelemetry/api';
import type { HoldfastEvents } from '../events/events.js';

type Target = HoldfastEvents['died']['target'];

/** Guarded sockets, counted by what is told of them: hardened, released, died. */
export class SocketCount {
  readonly #counter: UpDownCounter;
  readonly #counts = new Map<Attributes, number>();
  /** Those counted now. A connected socket's events carry one object, a socket that never connected has none or its own. */
  readonly #counted = new WeakSet<object>();

  constructor(counter: UpDownCounter) {
    this.#counter = counter;
  }

  hardened(target: Target, attributes: Attributes): void {
    if (target === undefined || this.#counted.has(target)) return;
    this.#counted.add(target);
    this.#add(1, attributes);
  }

  left(target: Target, attributes: Attributes): void {
    if (target !== undefined && this.#counted.delete(target)) this.#add(-1, attributes);
  }

  /** Nothing is known any more: an exporter would go on telling the last count for good. */
  stop(): void {
    for (const [attributes, count] of this.#counts) this.#add(-count, attributes);
  }

  #add(change: number, attributes: Attributes): void {
    this.#counts.set(attributes, (this.#counts.get(attributes) ?? 0) + change);
    this.#counter.add(change, attributes);
  }
}
