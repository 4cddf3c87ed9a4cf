import { retryNeverSent } from '../guard/retry-never-sent.js';
import type { ClientInside, Method } from './redis-types.js';

/** Everything that sends, by the names of all supported versions. */
const REQUESTS = ['sendCommand', '_executePipeline'] as const;
const TRANSACTION = '_executeMulti';
const SUBSCRIPTIONS = [
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
  'UNSUBSCRIBE',
  'PUNSUBSCRIBE',
  'SUNSUBSCRIBE',
].concat(['subscribe', 'pSubscribe', 'sSubscribe', 'unsubscribe', 'pUnsubscribe', 'sUnsubscribe']);
const MONITORS = ['MONITOR', 'monitor'] as const;

type Methods = Record<string, Method | undefined>;

/** Counts a client's requests under way, and repeats those that provably never left this host. */
export class RedisRequests {
  readonly #client: ClientInside;
  readonly #send: Method;
  #retries: number;
  #pending = 0;
  #isMonitor = false;

  constructor(client: ClientInside, retries: number) {
    this.#client = client;
    this.#retries = retries;
    this.#send = client.sendCommand;
    for (const name of [...REQUESTS, ...SUBSCRIPTIONS]) this.#cover(name, () => true);
    // Its watch is over with its first attempt: a second one would not notice that a key was changed.
    this.#cover(TRANSACTION, () => client.isWatching === false);
    for (const name of MONITORS) {
      this.#replace(name, original => (self, args) => {
        this.#isMonitor = true;
        return original.apply(self, args);
      });
    }
  }

  /** Nothing is under way, and a PING would be answered: to a client that monitors it would not. */
  get areNone(): boolean {
    return this.#pending === 0 && !this.#isMonitor;
  }

  /** Not counted and not repeated. */
  async ping(): Promise<void> {
    await this.#send.call(this.#client, ['PING']);
  }

  /** For a client whose supervisor repeats on the next one. */
  repeatNone(): void {
    this.#retries = 0;
  }

  #cover(name: string, mayRepeat: () => boolean): void {
    this.#replace(name, original => (self, args) => {
      const retries = mayRepeat() ? this.#retries : 0;
      return this.#ask(() => original.apply(self, args) as PromiseLike<unknown>, retries);
    });
  }

  async #ask(request: () => PromiseLike<unknown>, retries: number): Promise<unknown> {
    this.#pending += 1;
    let failure: { readonly error: unknown } | undefined;
    try {
      return await retryNeverSent(
        async () => {
          // A client that was ended meanwhile would answer with an error that hides this one.
          if (failure !== undefined && !this.#client.isOpen) throw failure.error;
          try {
            return await request();
          } catch (error) {
            failure = { error };
            throw error;
          }
        },
        { retries },
      );
    } finally {
      this.#pending -= 1;
    }
  }

  #replace(name: string, by: (original: Method) => (self: unknown, args: unknown[]) => unknown): void {
    const methods = this.#client as unknown as Methods;
    const original = methods[name];
    if (original === undefined) return;
    const replacement = by(original);
    methods[name] = function (...args) {
      return replacement(this, args);
    };
  }
}
