import { addAbortSignal, Duplex } from 'node:stream';
import { HoldfastError } from '../errors.js';
import type { ConnectTarget } from '../guard/connect.js';
import { requireTimeout } from './idle-timeout.js';
import type { WriteChunk } from './outgoing.js';
import { Session } from './session.js';
import type { SessionSetup } from './session-setup.js';

type WriteCallback = (error: Error | null | undefined) => void;

/** Where to connect to. Without a port the session waits for `connect(port, host)`. */
export type ReconnectingTarget = Omit<ConnectTarget, 'port' | 'onread' | 'signal'> & {
  readonly port?: number | undefined;
  /** Aborting it destroys the session with an AbortError, in any state. */
  readonly signal?: AbortSignal | undefined;
};

export type StreamSetup = Omit<SessionSetup, 'target'> & { readonly target: ReconnectingTarget };

/** The stream's half of a ReconnectingSocket: a Duplex whose bytes go over one generation after the other. */
export class SessionStream extends Duplex {
  protected readonly session: Session;

  constructor(setup: StreamSetup) {
    const { signal, timeout, allowHalfOpen, ...rest } = setup.target;
    const { highWaterMark } = rest as { highWaterMark?: number };
    // Before anything is made that would have to be undone.
    if (timeout !== undefined) requireTimeout(timeout);
    super({
      allowHalfOpen: allowHalfOpen ?? false,
      // As on net.Socket, 'close' says whether there was an error: _destroy emits it.
      emitClose: false,
      ...(highWaterMark === undefined ? {} : { highWaterMark }),
    });
    this.session = new Session(this, { ...setup, target: rest as Partial<ConnectTarget> });
    if (timeout !== undefined) this.session.setTimeout(timeout);
    if (signal !== undefined) addAbortSignal(signal, this);
    if (rest.port !== undefined && !this.destroyed) this.session.open();
  }

  /**
   * As on net.Socket. While the session is suspended or resuming, a write that would make the held bytes exceed
   * `maxPendingBytes` is refused with ERR_HOLDFAST_PENDING_FULL, and so is every later one until the session has
   * resumed: what arrives has no holes. With a callback the refusal goes to it and the session lives on with all it
   * holds; without one the session is destroyed with it, since nobody else would be told.
   */
  override write(
    chunk: unknown,
    encodingOrCallback?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ): boolean {
    const { session } = this;
    if (session.isSuspended) {
      const refusal = session.refusal(byteLength(chunk, encodingOrCallback));
      if (refusal !== undefined) {
        refuse(this, refusal, typeof encodingOrCallback === 'function' ? encodingOrCallback : callback);
        return false;
      }
    }
    const hasRoom = super.write(chunk, encodingOrCallback as BufferEncoding, callback);
    // Not before: it throws for what is no chunk.
    session.outgoing.count();
    return hasRoom;
  }

  override end(...args: unknown[]): this {
    const [chunk, encoding] = args;
    const callback = args.find((arg): arg is () => void => typeof arg === 'function');
    if (chunk !== undefined && chunk !== null && chunk !== callback) {
      if (typeof encoding === 'string') this.write(chunk, encoding as BufferEncoding);
      else this.write(chunk);
    }
    return super.end(callback);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.session.touch();
    this.session.outgoing.take(chunk, callback);
  }

  override _writev(chunks: WriteChunk[], callback: WriteCallback): void {
    this.session.touch();
    this.session.outgoing.take(chunks, callback);
  }

  override _final(callback: WriteCallback): void {
    this.session.end(callback);
  }

  override _read(): void {
    this.session.read();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.session.close(error ?? undefined, () => {
      callback(error);
      // Behind the 'error' that the callback has just scheduled.
      process.nextTick(emitClose, this, error !== null);
    });
  }

  /** Starts a session that has no target yet. @throws HoldfastError ERR_HOLDFAST_CLOSED */
  protected start(target: Partial<ReconnectingTarget>): void {
    const { state } = this.session;
    if (this.destroyed) {
      throw new HoldfastError(
        'ERR_HOLDFAST_CLOSED',
        'connect() on a session that was closed: make a new one',
      );
    }
    if (state.name !== 'connecting') {
      // Already connected, or reconnecting by itself: the caller waits for 'connect' all the same.
      process.nextTick(() => {
        if (!this.destroyed) this.emit('connect');
      });
    } else if (!state.dialling) {
      const { signal, timeout, allowHalfOpen, ...rest } = target;
      if (timeout !== undefined) {
        requireTimeout(timeout);
        this.session.setTimeout(timeout);
      }
      if (allowHalfOpen !== undefined) this.allowHalfOpen = allowHalfOpen;
      if (signal !== undefined) addAbortSignal(signal, this);
      // One that was aborted before has destroyed us.
      if (signal?.aborted !== true) this.session.open(rest as Partial<ConnectTarget>);
    }
  }
}

function refuse(stream: SessionStream, refusal: Error, told: WriteCallback | undefined): void {
  if (told === undefined) stream.destroy(refusal);
  else process.nextTick(told, refusal);
}

function emitClose(stream: SessionStream, hadError: boolean): void {
  stream.emit('close', hadError);
}

function byteLength(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}
