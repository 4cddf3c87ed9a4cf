import { systemClock, type Clock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import type { Verdict } from '../guard/verdict.js';
import { resolveDriverOptions, type DriverHeartbeat } from './driver-options.js';
import { LAST_LOOK_MS } from './idle-beat.js';
import { isCursorLost } from './mongodb-errors.js';
import type { MongoCursorLike } from './mongodb-types.js';
import { supervise, type Supervised, type SuperviseOptions } from './supervise.js';

/** What `resume` is told. */
export interface ResumedFollowing {
  /** What the cursor before was lost to; undefined where that is not known. */
  readonly verdict: Verdict | undefined;
  /** 2 for the first cursor that replaces another. */
  readonly generation: number;
  /** Of the last document given out. The new cursor goes on behind it. */
  readonly position: unknown;
}

/** What `tail` and `changes` have in common. */
export interface FollowOptions extends Pick<SuperviseOptions<object>, 'reconnect' | 'holdfast'> {
  /** Runs after each loss, when the next cursor is open and before its documents are given out. */
  readonly resume?: ((resumed: ResumedFollowing) => unknown) | undefined;
  /**
   * A cursor that waits for documents is under work, so nothing is sent beside it: its own requests are the beats. The
   * server answers one at least each `interval` (as `maxAwaitTimeMS`, which wins), documents or not; where it does not
   * within another `timeout` the cursor is lost. Default: none, keepalive notices a dead path.
   */
  readonly heartbeat?: DriverHeartbeat | false | undefined;
  /** Documents per request. Default 100. */
  readonly batchSize?: number | undefined;
  /** How long the server waits for a document before it answers with none. Default: the heartbeat's, else the server's. */
  readonly maxAwaitTimeMS?: number | undefined;
}

/** Documents as they come, over the loss of the cursor that brings them. */
export interface Following<D> extends AsyncIterable<D> {
  /** The session under it, for its events. Its clients are cursors. */
  readonly session: Supervised<object>;
  /** Of the last document given out: what a later program run gives as `since`. */
  readonly position: unknown;
  /** Ends the cursor and the iteration. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What differs from one kind of cursor to another. */
export interface CursorKind<C extends MongoCursorLike> {
  /** A cursor behind the position; undefined: at the start. */
  open(position: unknown, request: { batchSize: number; maxAwaitTimeMS?: number }): C;
  /** Whether the server has opened it. */
  isOpen(cursor: C): boolean;
  /** How far the cursor has come; `document`: what it just gave, null where there was none. */
  positionOf(cursor: C, document: unknown): unknown;
}

/** A cursor the server has opened. */
interface OpenCursor<C> {
  cursor: C;
  /** The answer to its first request, which may take as long as any. */
  first: Promise<unknown> | undefined;
  lost: (error: unknown) => void;
}

const DEFAULT_BATCH = 100;
/** A server ends a tailable cursor that matches nothing yet. */
const EMPTY_PAUSE_MS = 500;
/** How often it is looked whether a cursor without documents is open: the driver does not tell. */
const OPEN_LOOK_MS = 20;

/** See {@link Following}. */
export class CursorFollowing<C extends MongoCursorLike, D> implements Following<D> {
  readonly session: Supervised<OpenCursor<C>>;
  readonly #kind: CursorKind<C>;
  readonly #clock: Clock;
  readonly #request: { readonly batchSize: number; readonly maxAwaitTimeMS?: number };
  /** How long an answer may take; undefined: as long as it likes. */
  readonly #patience: number | undefined;
  readonly #documents: AsyncGenerator<D, void, undefined>;
  #position: unknown;
  #isClosed = false;

  constructor(kind: CursorKind<C>, since: unknown, options: FollowOptions, clock: Clock = systemClock) {
    const { heartbeat = false, batchSize = DEFAULT_BATCH, holdfast, reconnect, resume } = options;
    const { beat } = resolveDriverOptions({ heartbeat, holdfast });
    const maxAwaitTimeMS = options.maxAwaitTimeMS ?? beat?.interval;
    this.#kind = kind;
    this.#clock = clock;
    this.#position = since;
    this.#request = maxAwaitTimeMS === undefined ? { batchSize } : { batchSize, maxAwaitTimeMS };
    this.#patience = beat === undefined ? undefined : beat.timeout + (maxAwaitTimeMS ?? 0);
    this.session = supervise<OpenCursor<C>>({
      open: () => this.#open(),
      resume: resume && ((_, resumed) => resume({ ...resumed, position: this.#position })),
      reconnect,
      holdfast,
      heartbeat: false,
      adapter: {
        onLost(open, lost) {
          open.lost = lost;
          return () => (open.lost = () => undefined);
        },
        close: ({ cursor }) => cursor.close(),
      },
    });
    this.session.once('closed', ({ error }) => (this.#isClosed ||= error === undefined));
    this.#documents = this.#iterate();
  }

  get position(): unknown {
    return this.#position;
  }

  [Symbol.asyncIterator](): AsyncIterator<D> {
    return this.#documents;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #hasEnded(): boolean {
    return this.#isClosed;
  }

  async #open(): Promise<OpenCursor<C>> {
    return { ...(await this.#ask()), lost: () => undefined };
  }

  /** A cursor behind the position, once the server has opened it. */
  async #ask(): Promise<Pick<OpenCursor<C>, 'cursor' | 'first'>> {
    const cursor = this.#kind.open(this.#position, { ...this.#request });
    const first = cursor.tryNext();
    await new Promise<unknown>((resolve, reject) => {
      const look = (): void => {
        if (this.#kind.isOpen(cursor)) return resolve(undefined);
        timer = this.#clock.after(OPEN_LOOK_MS, look, { hold: true });
      };
      let timer = this.#clock.after(OPEN_LOOK_MS, look, { hold: true });
      first.finally(() => timer.cancel()).then(resolve, reject);
    });
    return { cursor, first };
  }

  async *#iterate(): AsyncGenerator<D, void, undefined> {
    try {
      for (;;) {
        const open = await this.session.run(given => given);
        const found = await this.#next(open);
        if (found !== null) yield found as D;
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    } finally {
      await this.close();
    }
  }

  /** null: nothing yet, or the cursor is lost and the next one goes on. */
  async #next(open: OpenCursor<C>): Promise<unknown> {
    const { cursor, first } = open;
    open.first = undefined;
    try {
      const found = await this.#inTime(first ?? cursor.tryNext());
      this.#position = this.#kind.positionOf(cursor, found) ?? this.#position;
      if (found === null && cursor.closed) await this.#askAgain(open);
      return found;
    } catch (error) {
      if (this.#isClosed || !isCursorLost(error)) throw error;
      open.lost(error);
      return null;
    }
  }

  /** The server has ended the cursor because nothing matches yet. That is no loss. */
  async #askAgain(open: OpenCursor<C>): Promise<void> {
    await new Promise<void>(resolve => this.#clock.after(EMPTY_PAUSE_MS, resolve, { hold: true }));
    if (this.#isClosed) return;
    Object.assign(open, await this.#ask());
    if (this.#hasEnded) await open.cursor.close(); // while the server was asked
  }

  async #inTime(answer: Promise<unknown>): Promise<unknown> {
    const patience = this.#patience;
    if (patience === undefined) return answer;
    const { promise: expired, expire } = expiry(patience);
    // A program that was busy for long finds its timers due before it has read what came meanwhile.
    const look = (): void => void (timer = this.#clock.after(LAST_LOOK_MS, expire, { hold: true }));
    let timer = this.#clock.after(patience, look, { hold: true });
    try {
      return await Promise.race([answer, expired]);
    } finally {
      timer.cancel();
    }
  }
}

function expiry(patience: number): { promise: Promise<never>; expire: () => void } {
  let fail: (error: HoldfastError) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => (fail = reject));
  const message = `the server did not answer a waiting cursor within ${patience} ms`;
  return { promise, expire: () => fail(new HoldfastError('ERR_HOLDFAST_HEARTBEAT_TIMEOUT', message)) };
}
