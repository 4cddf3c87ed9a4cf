/* eslint-disable @typescript-eslint/unbound-method -- methods are taken off and called with .call(socket) */
import type { Socket } from 'node:net';
import type { SocketGuard } from './socket-guard.js';

/**
 * The four methods a guard covers on the socket object. They are functions shared by all sockets, not closures, so
 * that a guarded idle socket costs four references: a pool has thousands of them.
 */

type WriteCallback = (error?: Error | null) => void;
interface WriteChunk {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}
interface Methods {
  _write(chunk: Buffer | string, encoding: BufferEncoding, callback: WriteCallback): void;
  _writev(chunks: readonly WriteChunk[], callback: WriteCallback): void;
  _destroy(error: Error | null, callback: WriteCallback): void;
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
}
type Name = keyof Methods;
export type Originals = Methods;

const kGuard = Symbol('holdfast.guard');
type Covered = Socket & Methods & { [kGuard]?: SocketGuard };

const NAMES: readonly Name[] = ['_write', '_writev', '_destroy', 'push'];

function guardIn(socket: Covered): SocketGuard {
  const guard = socket[kGuard];
  if (guard === undefined) throw new Error('holdfast: a covered method ran on a socket without its guard');
  return guard;
}

const covers: Methods = {
  _write(this: Covered, chunk, encoding, callback) {
    const guard = guardIn(this);
    if (guard.passes()) return guard.originals._write.call(this, chunk, encoding, callback);
    return guard.hold({
      bytes: byteLength(chunk, encoding),
      send: () => guard.originals._write.call(this, chunk, encoding, callback),
      callback,
    });
  },
  _writev(this: Covered, chunks, callback) {
    const guard = guardIn(this);
    if (guard.passes()) return guard.originals._writev.call(this, chunks, callback);
    return guard.hold({
      bytes: chunks.reduce((sum, { chunk, encoding }) => sum + byteLength(chunk, encoding), 0),
      send: () => guard.originals._writev.call(this, chunks, callback),
      callback,
    });
  },
  _destroy(this: Covered, error, callback) {
    const guard = guardIn(this);
    guard.dying(error);
    return guard.originals._destroy.call(this, error, callback);
  },
  push(this: Covered, chunk, encoding) {
    const guard = guardIn(this);
    if (chunk === null) {
      const error = guard.ending();
      if (error !== undefined) {
        this.destroy(error);
        return false;
      }
      return guard.originals.push.call(this, chunk);
    }
    // An empty rest still goes on: it tells the stream that this read is over.
    const rest = chunk instanceof Uint8Array ? guard.received(chunk as Buffer) : chunk;
    return guard.originals.push.call(this, rest, encoding);
  },
};

function byteLength(chunk: Buffer | string, encoding: BufferEncoding): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
}

/** The guard of a socket, dormant ones included. */
export function guardOf(socket: Socket): SocketGuard | undefined {
  return (socket as Covered)[kGuard];
}

const byPrototype = new WeakMap<object, Originals>();

/** What the socket's class itself does; one object for all sockets of a class, until somebody patches the class. */
function classMethods(socket: Covered): Originals {
  const prototype = Object.getPrototypeOf(socket) as Methods;
  let originals = byPrototype.get(prototype);
  if (originals === undefined || NAMES.some(name => originals?.[name] !== prototype[name])) {
    const { _write, _writev, _destroy, push } = prototype;
    originals = { _write, _writev, _destroy, push };
    byPrototype.set(prototype, originals);
  }
  return originals;
}

/** Not enumerable: the socket looks the same to whoever prints or copies it. */
function put(socket: Covered, key: Name | symbol, value: unknown): void {
  Object.defineProperty(socket, key, { value, configurable: true, writable: true });
}

/**
 * Puts the covers on. A method somebody had already replaced on the object itself is called through to; where a cover
 * of ours still lies under somebody's replacement (it could not be taken off at a release), it is left and works again.
 */
export function cover(socket: Socket, guard: SocketGuard): Originals {
  const covered = socket as Covered;
  let originals = covered[kGuard]?.originals ?? classMethods(covered);
  if (covered[kGuard] !== guard) put(covered, kGuard, guard);
  for (const name of NAMES) {
    const own = Object.hasOwn(covered, name) ? covered[name] : undefined;
    if (own === covers[name] || (own !== undefined && isBuried(covered, name))) continue;
    if (own !== undefined) originals = { ...originals, [name]: own };
    put(covered, name, covers[name]);
  }
  return originals;
}

const kBuried = Symbol('holdfast.buried');

/** Whether a cover of ours lies under the method that somebody else put on the object. */
function isBuried(socket: Covered, name: Name): boolean {
  return (socket as { [kBuried]?: ReadonlySet<Name> })[kBuried]?.has(name) ?? false;
}

/** Takes the covers off. A cover that somebody else covered in turn stays, and passes everything on. */
export function uncover(socket: Socket, guard: SocketGuard): void {
  const covered = socket as Covered;
  const left = new Set<Name>();
  const original = classMethods(covered);
  for (const name of NAMES) {
    if (!Object.hasOwn(covered, name)) continue;
    if (covered[name] !== covers[name]) left.add(name);
    else if (guard.originals[name] === original[name]) Reflect.deleteProperty(covered, name);
    else Object.assign(covered, { [name]: guard.originals[name] });
  }
  Reflect.deleteProperty(covered, kBuried);
  if (left.size > 0) put(covered, kBuried, left);
  else Reflect.deleteProperty(covered, kGuard);
}
