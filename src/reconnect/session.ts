import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.js';
import type { HoldfastError } from '../errors.js';
import { deathOf } from '../guard/autopsy.js';
import type { ConnectTarget } from '../guard/connect.js';
import { guardOf } from '../guard/cover.js';
import type { GuardContext } from '../guard/socket-guard.js';
import { verdictOf } from '../guard/verdict-of.js';
import type { Verdict } from '../guard/verdict.js';
import type { ResolvedOptions } from '../options/types.js';
import { dial, readyEvent } from './dial.js';
import { Dialler, type DiallerPort } from './dialler.js';
import type { PendingWrites, SessionEvents } from './events.js';
import { closedError, closedEarly, pendingFullError } from './failures.js';
import { IdleTimeout } from './idle-timeout.js';
import { intake } from './intake.js';
import { endsOf, KeptSettings, type Ends } from './kept-settings.js';
import {
  AWAITING_TARGET,
  step,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
} from './machine.js';
import { Outgoing } from './outgoing.js';
import {
  contextFor,
  leftovers,
  listenTo,
  optionsFor,
  readFrom,
  whenClosed,
  type PhysicalOwner,
} from './physical.js';
import { reconnectsAfter } from './policy.js';
import { Pulse } from './pulse.js';

export interface SessionOptions {
  readonly outer: Duplex;
  readonly target: Partial<ConnectTarget>;
  readonly options: ResolvedOptions;
  readonly context: GuardContext;
  readonly random: () => number;
}

type Told = keyof SessionEvents | 'connect' | 'ready' | 'secureConnect' | 'timeout' | 'drain';

/**
 * The shell round the machine: performs its effects and turns what happens to physical sockets into its events. At any
 * time there is one physical socket at most, in use or with the dialler; whatever another one says is stale.
 */
export class Session implements PhysicalOwner, DiallerPort {
  readonly outgoing = new Outgoing();
  readonly #kept = new KeptSettings();
  readonly options: ResolvedOptions;
  readonly random: () => number;
  target: Partial<ConnectTarget>;
  /** Bytes received over all generations. */
  bytesRead = 0;
  readonly #outer: Duplex;
  readonly #context: GuardContext;
  readonly #dialler = new Dialler(this);
  #state: SessionState = AWAITING_TARGET;
  #physical: Socket | undefined;
  readonly #pulse: Pulse | undefined;
  #idle: IdleTimeout | undefined;
  #tlsSession: Buffer | undefined;
  #lastEnds: Ends | undefined;
  #finish: ((error?: Error | null) => void) | undefined;
  #isFinOwed = false;
  /** The socket last dialled is an ordinary readable one, not one read by `onread`. */
  #isHooked = false;
  #isReaderFull = false;
  /** A write was refused in this outage: so are all that follow, or the stream would have a hole. */
  #isRefusing = false;
  #isResetWanted = false;

  constructor({ outer, target, options, context, random }: SessionOptions) {
    this.#outer = outer;
    this.target = target;
    this.options = options;
    this.#context = context;
    this.random = random;
    const { heartbeat: times } = options;
    const answered = (rtt: number): void => this.#tell('heartbeat', { rtt });
    if (times !== undefined) this.#pulse = new Pulse({ outer, times, context, answered });
  }

  get state(): SessionState {
    return this.#state;
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  /** The physical socket in use; undefined while there is none. */
  get socket(): Socket | undefined {
    return this.#state.name === 'open' ? this.#physical : undefined;
  }

  /** Both ends' addresses, of the last generation while there is none in use. */
  get ends(): Ends {
    const { name } = this.#state;
    const live = name === 'open' || name === 'connecting' ? this.#any : undefined;
    return live ?? this.#lastEnds ?? {};
  }

  /** What is held for a generation to come. */
  get pending(): PendingWrites {
    return this.outgoing.pending(this.#outer.writableLength);
  }

  /** Whether the session keeps the process alive. */
  get isRefed(): boolean {
    return this.#kept.isRefed;
  }

  get isSecure(): boolean {
    const { tls } = this.target;
    return tls !== undefined && tls !== false;
  }

  get isSuspended(): boolean {
    return this.#state.name === 'suspended' || this.#state.name === 'resuming';
  }

  get timeout(): number | undefined {
    return this.#idle?.ms;
  }

  /** @throws what net.connect throws for its options */
  open(target?: Partial<ConnectTarget>): void {
    if (target !== undefined) this.target = { ...this.target, ...target };
    this.dispatch({ type: 'dial' });
    // The first dial was synchronous: a wrong option is thrown where it was given, and not emitted too.
    const { final } = this.#dialler;
    if (final === undefined) return;
    this.#outer.destroy();
    throw final;
  }

  /** Closes from this side. `done` is called once the physical socket is closed too. */
  close(error: Error | undefined, done: () => void): void {
    const physical = this.#physical ?? this.#dialler.socket;
    this.dispatch({ type: 'close', error });
    this.outgoing.abandon(error ?? closedError('the session was closed before the write was finished'));
    this.#pulse?.stop();
    this.#idle?.cancel();
    this.#finish = undefined;
    whenClosed(physical, done);
  }

  /** Writable's last call: all writes are handed over, a FIN is to follow. */
  end(finish: (error?: Error | null) => void): void {
    this.#finish = finish;
    this.#isFinOwed = true;
    this.socket?.end();
  }

  /** The reader wants more. */
  read(): void {
    if (!this.#isReaderFull || this.#state.name !== 'open') return;
    this.#isReaderFull = false;
    if (this.#physical === undefined) return;
    this.#physical.resume();
    this.#pulse?.start(this.#physical);
  }

  /** Why a write of this many bytes is not taken; undefined: it is. */
  refusal(refusedBytes: number): HoldfastError | undefined {
    if (!this.isSuspended) return undefined;
    const { maxPendingBytes } = this.options;
    const pendingBytes = this.pending.bytes;
    if (!this.#isRefusing && pendingBytes + refusedBytes <= maxPendingBytes) return undefined;
    this.#isRefusing = true;
    return pendingFullError(this.target, { pendingBytes, maxPendingBytes, refusedBytes });
  }

  touch(): void {
    this.#idle?.touch();
  }

  setTimeout(ms: number): void {
    this.#idle?.cancel();
    this.#idle = ms === 0 ? undefined : new IdleTimeout(this.clock, ms, () => this.#idled());
  }

  setHold(isRefed: boolean): void {
    this.#kept.setHold(isRefed, this.#any);
    this.#dialler.setHold(isRefed);
  }

  setNoDelay(noDelay: boolean): void {
    this.#kept.setNoDelay(noDelay, this.#any);
  }

  setKeepAlive(enable: boolean | undefined, initialDelay: number | undefined): void {
    this.#kept.setKeepAlive(enable, initialDelay, this.#any);
  }

  /** The physical socket is to end with a reset. */
  wantReset(): void {
    this.#isResetWanted = true;
  }

  // ---- PhysicalOwner ----

  isReady(socket: Socket): void {
    this.#dialler.isReady(socket);
  }

  keepTlsSession(session: Buffer): void {
    this.#tlsSession = session;
  }

  isDying(socket: Socket): void {
    if (socket !== this.#physical) return;
    this.outgoing.detach();
    this.#pulse?.stop();
    this.#lastEnds = endsOf(socket, guardOf(socket)?.target);
  }

  received(chunk: Buffer): boolean {
    if (this.#state.name !== 'open') return false;
    this.bytesRead += chunk.length;
    this.#idle?.touch();
    const rest = this.#pulse === undefined ? chunk : this.#pulse.received(chunk);
    // An empty chunk would tell the stream that a read is over, and there was none.
    if (rest.length === 0 || this.#outer.push(rest)) return true;
    this.#isReaderFull = true;
    // Nothing is read now, so nothing can be heard.
    this.#pulse?.stop();
    return false;
  }

  ended(socket: Socket): void {
    if (socket === this.#dialler.socket) return this.#dialler.fail(closedEarly(this.target));
    if (socket !== this.#physical || this.#state.name !== 'open') return;
    const { generation } = this.#state;
    const guard = guardOf(socket);
    if (this.options.reconnect.on !== 'nat' && guard !== undefined) {
      const facts = { error: null, connected: true, probe: undefined, held: 0 } as const;
      if (this.#isAnswered(generation, deathOf(guard, facts))) return;
    }
    this.#pulse?.stop();
    this.dispatch({ type: 'ended', generation });
    this.#outer.push(null);
    // As net.Socket does: a stream nobody reads ends too, where nothing is left to be read.
    this.#outer.read(0);
  }

  finished(socket: Socket): void {
    if (socket !== this.#physical) return;
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.();
  }

  closed(socket: Socket): void {
    if (this.#dialler.closed(socket)) return;
    if (socket !== this.#physical || this.#state.name !== 'open') return;
    const { generation, ended } = this.#state;
    const error = socket.errored ?? undefined;
    // Both directions were ended in order: the reader may still have data to take, and closes the session by taking it.
    if (ended && error === undefined) return;
    const verdict = verdictOf(socket);
    if (!ended && verdict !== undefined && this.#isAnswered(generation, verdict)) return;
    this.dispatch({ type: 'broken', generation, error });
  }

  // ---- DiallerPort ----

  dial(): Socket {
    // A resume hook reads from the socket, so it must be an ordinary readable one.
    this.#isHooked = this.#state.name !== 'connecting' && this.options.resume !== undefined;
    const socket = dial({
      target: this.target as ConnectTarget,
      options: optionsFor(this.options),
      context: contextFor(this.#context),
      onread: this.#isHooked ? undefined : intake(chunk => this.received(chunk)),
      tlsSession: this.#tlsSession,
    });
    listenTo(socket, this, readyEvent(socket));
    this.#kept.applyTo(socket);
    return socket;
  }

  /** Takes a step, then performs its effects. */
  dispatch(event: SessionEvent): void {
    const { state, effects } = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) {
      // A listener told of one effect may have closed the session.
      if (this.#state.name === 'closed' && state.name !== 'closed') return;
      this.#perform(effect);
    }
  }

  // ---- private ----

  get #any(): Socket | undefined {
    return this.#physical ?? this.#dialler.socket;
  }

  #perform(effect: SessionEffect): void {
    switch (effect.type) {
      case 'start-attempts':
        return this.#dialler.start(effect.outage);
      case 'stop-attempts':
        return this.#dialler.stop();
      case 'run-hook':
        return this.#dialler.resume(effect.generation, effect.outage);
      case 'adopt':
        return this.#adopt();
      case 'flow':
        return this.#flow();
      case 'drop-physical':
        if (this.#isResetWanted) this.#physical?.resetAndDestroy();
        else this.#physical?.destroy();
        return;
      case 'tell-connected':
        this.#tell('connect');
        this.#tell('ready');
        if (this.isSecure) this.#tell('secureConnect');
        return;
      case 'tell-suspended':
        return this.#tell('suspended', effect.payload);
      case 'tell-attempted':
        return this.#tell('attempted', effect.payload);
      case 'tell-resumed':
        return this.#tell('resumed', effect.payload);
      case 'finish':
        this.#outer.destroy(effect.error);
    }
  }

  /** A listener that throws surfaces like any other, once we are done. */
  #tell(event: Told, ...payload: readonly object[]): void {
    try {
      this.#outer.emit(event, ...payload);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  #adopt(): void {
    const socket = this.#dialler.takeOver();
    if (socket === undefined) return;
    this.#physical = socket;
    this.outgoing.attach(socket);
    this.#isReaderFull = false;
    this.#pulse?.start(socket);
  }

  #flow(): void {
    const socket = this.#physical;
    if (socket === undefined) return;
    if (this.#isHooked) readFrom(socket);
    this.outgoing.flow();
    if (this.#isFinOwed) socket.end();
    if (!this.#isRefusing) return;
    this.#isRefusing = false;
    // Whoever was refused waits for it, and below its high-water mark Writable would not emit it.
    if (!this.#outer.writableNeedDrain) this.#tell('drain');
  }

  /** A generation is dead. @returns whether that was dealt with: false leaves it to end the session */
  #isAnswered(generation: number, verdict: Verdict): boolean {
    const socket = this.#physical;
    if (socket === undefined) return false;
    try {
      if (!reconnectsAfter(this.options.reconnect.on, verdict)) return false;
    } catch (thrown) {
      this.dispatch({ type: 'broken', generation, error: thrown as Error });
      return true;
    }
    socket.destroy();
    const left = leftovers(socket);
    if (left !== undefined) this.received(left);
    this.#physical = undefined;
    const uncertain = this.outgoing.lose(socket, verdict, socket instanceof TLSSocket);
    const outage = { verdict, uncertain, pending: this.pending, since: this.clock.now() };
    this.dispatch({ type: 'lost', generation, outage });
    return true;
  }

  #idled(): void {
    const { socket, timeout = 0 } = this;
    const info = socket === undefined ? undefined : guardOf(socket)?.tcpInfo;
    // A long write that the peer is still taking is activity, although no event of ours shows it.
    if (this.#outer.writableLength > 0 && info !== undefined && info.lastAckRecv < timeout) this.touch();
    else this.#tell('timeout');
  }
}
