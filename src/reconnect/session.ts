import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.js';
import type { HoldfastError } from '../errors.js';
import { deathOf } from '../guard/autopsy.js';
import type { ConnectTarget } from '../guard/connect.js';
import { guardOf } from '../guard/cover.js';
import { verdictOf } from '../guard/verdict-of.js';
import type { Verdict } from '../guard/verdict.js';
import type { ResolvedOptions } from '../options/types.js';
import { dial, readyEvent } from './dial.js';
import { Dialler, type DiallerPort } from './dialler.js';
import type { PendingWrites, SessionEvents } from './events.js';
import { closedError, closedEarly, pendingFullError } from './failures.js';
import { IdleTimeout } from './idle-timeout.js';
import { endsOf, Kept, type Ends } from './kept.js';
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
  ONREAD,
  optionsFor,
  readFrom,
  whenClosed,
  type PhysicalOwner,
} from './physical.js';
import { reconnectsAfter } from './policy.js';
import { Pulse } from './pulse.js';
import { shared, type SessionSetup } from './session-setup.js';
import { surface } from './surface.js';

type Told = keyof SessionEvents | 'connect' | 'ready' | 'secureConnect' | 'timeout' | 'drain';

/**
 * The shell round the machine: performs its effects and turns what happens to physical sockets into its events. At any
 * time there is one physical socket at most, in use or with the dialler; whatever another one says is stale.
 */
export class Session implements PhysicalOwner, DiallerPort {
  readonly outgoing = new Outgoing();
  /** Bytes received over all generations. */
  bytesRead = 0;
  readonly #outer: Duplex;
  #setup: SessionSetup;
  #state: SessionState = AWAITING_TARGET;
  #physical: Socket | undefined;
  /** Of the outage, or of the first connect. */
  #dialler: Dialler | undefined;
  #kept: Kept | undefined;
  readonly #pulse: Pulse | undefined;
  #idle: IdleTimeout | undefined;
  /** Once a FIN is owed to every generation. `finish` is called when the first has sent it. */
  #ending: { finish: ((error?: Error | null) => void) | undefined } | undefined;
  #isReaderFull = false;
  /** A write was refused in this outage: so are all that follow, or the stream would have a hole. */
  #isRefusing = false;

  constructor(outer: Duplex, setup: SessionSetup) {
    this.#outer = outer;
    this.#setup = shared(setup);
    const { context, options } = setup;
    const { heartbeat: times } = options;
    if (times !== undefined) {
      const isReading = (): boolean => !this.#isReaderFull;
      const answered = (rtt: number): void => this.#tell('heartbeat', { rtt });
      this.#pulse = new Pulse({ outer, times, context, isReading, answered });
    }
  }

  get state(): SessionState {
    return this.#state;
  }

  get target(): Partial<ConnectTarget> {
    return this.#setup.target;
  }

  get options(): ResolvedOptions {
    return this.#setup.options;
  }

  get random(): () => number {
    return this.#setup.random;
  }

  get clock(): Clock {
    return this.#setup.context.clock;
  }

  /** The physical socket in use; undefined while there is none. */
  get socket(): Socket | undefined {
    return this.#state.name === 'open' ? this.#physical : undefined;
  }

  /** Both ends' addresses, of the last generation while there is none in use. */
  get ends(): Ends {
    const { name } = this.#state;
    const live = name === 'open' || name === 'connecting' ? this.#any : undefined;
    return live ?? this.#kept?.ends ?? {};
  }

  /** What is held for a generation to come. */
  get pending(): PendingWrites {
    return this.outgoing.pending(this.#outer.writableLength);
  }

  /** Whether the session keeps the process alive. */
  get isRefed(): boolean {
    return this.#kept?.isRefed ?? true;
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
    if (target !== undefined) this.#setup = shared({ ...this.#setup, target: { ...this.target, ...target } });
    this.dispatch({ type: 'dial' });
    // The first dial was synchronous: a wrong option is thrown where it was given, and not emitted too.
    const final = this.#dialler?.final;
    if (final === undefined) return;
    this.#outer.destroy();
    throw final;
  }

  /** Closes from this side. `done` is called once the physical socket is closed too. */
  close(error: Error | undefined, done: () => void): void {
    const physical = this.#any;
    this.dispatch({ type: 'close', error });
    this.outgoing.abandon(error ?? closedError('the session was closed before the write was finished'));
    this.#pulse?.stop();
    this.#idle?.cancel();
    this.#ending = undefined;
    whenClosed(physical, done);
  }

  /** Writable's last call: all writes are handed over, a FIN is to follow. */
  end(finish: (error?: Error | null) => void): void {
    this.#ending = { finish };
    const { socket } = this;
    const guard = socket && guardOf(socket);
    const send = (): void => void socket?.end();
    // Into a dead path a FIN vanishes, and the user timeout is long: after a silence it is gated like a write.
    if (guard === undefined || guard.passes()) send();
    else guard.hold({ bytes: 0, send, callback: () => undefined });
  }

  /** The reader wants more. */
  read(): void {
    if (!this.#isReaderFull || this.#state.name !== 'open') return;
    this.#isReaderFull = false;
    this.#physical?.resume();
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
    this.#keep().isRefed = isRefed;
    if (isRefed) this.#any?.ref();
    else this.#any?.unref();
    this.#dialler?.setHold(isRefed);
  }

  setNoDelay(noDelay: boolean): void {
    this.#keep().noDelay = noDelay;
    this.#any?.setNoDelay(noDelay);
  }

  setKeepAlive(enable: boolean | undefined, initialDelay: number | undefined): void {
    this.#keep().keepAlive = [enable, initialDelay];
    this.#any?.setKeepAlive(enable, initialDelay);
  }

  // ---- PhysicalOwner ----

  isReady(socket: Socket): void {
    this.#dialler?.isReady(socket);
  }

  keepTlsSession(session: Buffer): void {
    this.#keep().tlsSession = session;
  }

  isDying(socket: Socket): void {
    if (socket !== this.#physical) return;
    this.outgoing.detach();
    this.#pulse?.stop();
    this.#keep().ends = endsOf(socket, guardOf(socket)?.target);
  }

  received(chunk: Buffer): boolean {
    if (this.#state.name !== 'open') return false;
    this.bytesRead += chunk.length;
    this.#idle?.touch();
    const rest = this.#pulse === undefined ? chunk : this.#pulse.received(chunk);
    // An empty chunk would tell the stream that a read is over, and there was none.
    if (rest.length === 0) return true;
    try {
      this.#isReaderFull = !this.#outer.push(rest);
    } catch (error) {
      surface(error);
    }
    return !this.#isReaderFull;
  }

  ended(socket: Socket): void {
    const dialler = this.#dialler;
    if (socket === dialler?.socket) return dialler.fail(closedEarly(this.target));
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
    const ending = this.#ending;
    const finish = ending?.finish;
    if (ending !== undefined) ending.finish = undefined;
    finish?.();
  }

  closed(socket: Socket): void {
    if (this.#dialler?.closed(socket) === true) return;
    if (socket !== this.#physical || this.#state.name !== 'open') return;
    const { generation, ended } = this.#state;
    const error = socket.errored ?? undefined;
    // Both directions were ended in order: the reader may still have data to take, and closes the session by taking it.
    if (ended && error === undefined && socket.writableFinished) return;
    const verdict = verdictOf(socket);
    if (!ended && verdict !== undefined && this.#isAnswered(generation, verdict)) return;
    this.dispatch({ type: 'broken', generation, error });
  }

  // ---- DiallerPort ----

  dial(): Socket {
    const { options, context, target } = this.#setup;
    const socket = dial({
      target: target as ConnectTarget,
      options: optionsFor(options),
      context: contextFor(context),
      onread: this.#isHooked ? undefined : ONREAD,
      tlsSession: this.#kept?.tlsSession,
    });
    listenTo(socket, this, readyEvent(socket));
    this.#kept?.applyTo(socket);
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
    return this.#physical ?? this.#dialler?.socket;
  }

  /** A resume hook reads from this generation's socket, so it must be an ordinary readable one. */
  get #isHooked(): boolean {
    if (this.options.resume === undefined) return false;
    return 'generation' in this.#state && (this.#state.name !== 'open' || this.#state.generation > 1);
  }

  #keep(): Kept {
    return (this.#kept ??= new Kept());
  }

  #perform(effect: SessionEffect): void {
    switch (effect.type) {
      case 'start-attempts':
        this.#dialler = new Dialler(this, effect.outage);
        return this.#dialler.start();
      case 'stop-attempts':
        return this.#dialler?.stop();
      case 'run-hook':
        return this.#dialler?.resume(effect.generation, effect.outage);
      case 'adopt':
        return this.#adopt();
      case 'flow':
        return this.#flow();
      case 'drop-physical':
        this.#physical?.destroy();
        return;
      case 'tell-connected':
        this.#tell('connect');
        this.#tell('ready');
        if (this.isSecure) this.#tell('secureConnect');
        return;
      case 'tell-suspended':
        this.#setup.hooks.suspended?.(effect.payload.verdict.target, effect.payload);
        return this.#tell('suspended', effect.payload);
      case 'tell-attempted':
        return this.#tell('attempted', effect.payload);
      case 'tell-resumed':
        this.#setup.hooks.resumed?.(this.#physical && guardOf(this.#physical)?.target, effect.payload);
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
      surface(error);
    }
  }

  #adopt(): void {
    const socket = this.#dialler?.takeOver();
    this.#dialler = undefined;
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
    if (this.#ending !== undefined) socket.end();
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
