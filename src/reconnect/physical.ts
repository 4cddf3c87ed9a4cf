import type { Socket } from 'node:net';
import type { GuardContext } from '../guard/socket-guard.js';
import type { ResolvedOptions } from '../options/types.js';
import { intake } from './intake.js';

/** Whom a physical socket belongs to. Each call names the socket, because an older one's news is stale. */
export interface PhysicalOwner {
  isReady(socket: Socket): void;
  /** Its descriptor is still open. */
  isDying(socket: Socket): void;
  received(chunk: Buffer): boolean;
  /** The peer's FIN, after all data. */
  ended(socket: Socket): void;
  /** All was sent, our FIN included. */
  finished(socket: Socket): void;
  closed(socket: Socket): void;
  keepTlsSession(session: Buffer): void;
}

const kOwner = Symbol('holdfast.session');
const kIsClosed = Symbol('holdfast.closed');
type Owned = Socket & { [kOwner]?: PhysicalOwner; [kIsClosed]?: true };

/** Listens to a physical socket. The listeners are shared by all sessions: closures would cost each of them memory. */
export function listenTo(socket: Socket, owner: PhysicalOwner, ready: 'connect' | 'secureConnect'): void {
  (socket as Owned)[kOwner] = owner;
  // Each comes once, but once() would wrap it in an object and a closure of its own.
  socket.on(ready, onReady);
  socket.on('error', onError);
  socket.on('end', onEnd);
  socket.on('finish', onFinish);
  socket.on('close', onClose);
  if (ready === 'secureConnect') socket.on('session', onTlsSession);
}

/** Calls `done` once the descriptor is closed: `closed` is true as soon as that has begun. */
export function whenClosed(socket: Socket | undefined, done: () => void): void {
  if (socket === undefined || (socket as Owned)[kIsClosed] === true) done();
  else socket.once('close', done);
}

/** What all physical sockets are read by, but those a resume hook reads from. */
export const ONREAD = Object.freeze(
  intake((socket: Owned, chunk) => socket[kOwner]?.received(chunk) ?? false),
);

/** Reads from an ordinary readable socket: one that a resume hook has read from. */
export function readFrom(socket: Socket): void {
  socket.on('data', onData);
  socket.resume();
}

/** What a dead socket had read and nobody had taken yet. It arrived, so it belongs to the reader. */
export function leftovers(socket: Socket): Buffer | undefined {
  return socket.readableLength > 0 ? ((socket.read() as Buffer | null) ?? undefined) : undefined;
}

function onReady(this: Owned): void {
  this[kOwner]?.isReady(this);
}

function onData(this: Owned, chunk: Buffer): void {
  if (this[kOwner]?.received(chunk) === false) this.pause();
}

function onEnd(this: Owned): void {
  this[kOwner]?.ended(this);
}

function onFinish(this: Owned): void {
  this[kOwner]?.finished(this);
}

function onClose(this: Owned): void {
  this[kIsClosed] = true;
  this[kOwner]?.closed(this);
}

function onTlsSession(this: Owned, session: Buffer): void {
  this[kOwner]?.keepTlsSession(session);
}

function onError(): void {
  // 'close' follows, and tells the story; without a listener the process would end.
}

const contexts = new WeakMap<GuardContext, GuardContext>();

/** The guard's context, with the session told of a death before anybody else. One for all sessions of an instance. */
export function contextFor(context: GuardContext): GuardContext {
  let wrapped = contexts.get(context);
  if (wrapped === undefined) {
    const { hooks } = context;
    wrapped = {
      ...context,
      hooks: {
        ...hooks,
        died: (guard, verdict) => {
          (guard.socket as Owned)[kOwner]?.isDying(guard.socket);
          hooks.died?.(guard, verdict);
        },
      },
    };
    contexts.set(context, wrapped);
  }
  return wrapped;
}

const physicalOptions = new WeakMap<ResolvedOptions, ResolvedOptions>();

/** A session's heartbeat is its own, because the guard does not see what is read past the socket's queue. */
export function optionsFor(options: ResolvedOptions): ResolvedOptions {
  if (options.heartbeat === undefined) return options;
  let own = physicalOptions.get(options);
  if (own === undefined) {
    own = Object.freeze({ ...options, heartbeat: undefined });
    physicalOptions.set(options, own);
  }
  return own;
}
