import type { SocketGuard } from '../guard/socket-guard.js';

const FIRST_PRUNE = 64;

/**
 * The live guarded sockets of one target, held weakly: an array of references and, on each guard, its place in it.
 * Adding and removing take constant time, and a guard costs one WeakRef and one array element.
 */
export class Bucket {
  /** `host:port`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly #references: WeakRef<SocketGuard>[] = [];
  #pruneAt = FIRST_PRUNE;

  constructor(name: string, host: string, port: number) {
    this.name = name;
    this.host = host;
    this.port = port;
  }

  /** Includes guards that were collected and not yet pruned. */
  get size(): number {
    return this.#references.length;
  }

  has(guard: SocketGuard): boolean {
    return this.#references[guard.place]?.deref() === guard;
  }

  add(guard: SocketGuard): void {
    if (this.#references.length >= this.#pruneAt) this.prune();
    guard.place = this.#references.length;
    this.#references.push(new WeakRef(guard));
  }

  /** @returns whether it was here */
  remove(guard: SocketGuard): boolean {
    if (!this.has(guard)) return false;
    const { place } = guard;
    const last = this.#references.pop();
    if (last !== undefined && place < this.#references.length) this.#seat(last, place);
    guard.place = -1;
    return true;
  }

  /** Drops the references to guards that were collected without having died or been released. */
  prune(): void {
    let kept = 0;
    for (const reference of this.#references) {
      if (reference.deref() !== undefined) this.#seat(reference, kept++);
    }
    this.#references.length = kept;
    this.#pruneAt = Math.max(FIRST_PRUNE, kept * 2);
  }

  /** The guards that still exist, as a list of its own: it does not change when one dies. */
  guards(): SocketGuard[] {
    const found: SocketGuard[] = [];
    for (const reference of this.#references) {
      const guard = reference.deref();
      if (guard !== undefined) found.push(guard);
    }
    return found;
  }

  /** Up to `most` guards, for a quick look. */
  some(most: number): SocketGuard[] {
    const found: SocketGuard[] = [];
    for (const reference of this.#references) {
      if (found.length === most) break;
      const guard = reference.deref();
      if (guard !== undefined) found.push(guard);
    }
    return found;
  }

  #seat(reference: WeakRef<SocketGuard>, place: number): void {
    this.#references[place] = reference;
    const guard = reference.deref();
    if (guard !== undefined) guard.place = place;
  }
}
