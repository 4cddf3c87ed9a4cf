import { EventEmitter } from 'eventemitter3';

type Listener = (payload: never) => void;
type Wrapped = (payload: unknown) => void;

/**
 * An emitter whose listeners can't harm the one who emits, nor each other: what a listener throws becomes a process
 * warning, and the next listener still runs.
 */
export class SafeEmitter<Events extends { [K in keyof Events]: object }> {
  readonly #emitter = new EventEmitter<string>();
  readonly #wrapped = new WeakMap<Listener, Wrapped>();

  on<K extends keyof Events & string>(event: K, listener: (payload: Events[K]) => void): this {
    this.#emitter.on(event, this.#wrap(event, listener));
    return this;
  }

  once<K extends keyof Events & string>(event: K, listener: (payload: Events[K]) => void): this {
    this.#emitter.once(event, this.#wrap(event, listener));
    return this;
  }

  off<K extends keyof Events & string>(event: K, listener: (payload: Events[K]) => void): this {
    const wrapped = this.#wrapped.get(listener);
    if (wrapped !== undefined) this.#emitter.off(event, wrapped);
    return this;
  }

  listenerCount(event: keyof Events & string): number {
    return this.#emitter.listenerCount(event);
  }

  protected announce<K extends keyof Events & string>(event: K, payload: Events[K]): void {
    this.#emitter.emit(event, payload);
  }

  #wrap(event: string, listener: Listener): Wrapped {
    let wrapped = this.#wrapped.get(listener);
    if (wrapped === undefined) {
      wrapped = payload => {
        try {
          (listener as Wrapped)(payload);
        } catch (error) {
          warn(event, error);
        }
      };
      this.#wrapped.set(listener, wrapped);
    }
    return wrapped;
  }
}

function warn(event: string, error: unknown): void {
  const what = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a listener of '${event}' threw: ${what}`, { type: 'HoldfastWarning' });
}
