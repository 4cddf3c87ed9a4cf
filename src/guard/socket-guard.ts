import type { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import type { Heartbeat } from '../heartbeat/heartbeat.js';
import type { WantedSettings } from '../kernel/binding.js';
import { tcpHandle, type TcpHandle } from '../kernel/handle.js';
import type { AppliedSettings } from '../kernel/kernel.js';
import { claimSettings, claimsOf, giveUpClaim, newestClaim } from '../kernel/pin.js';
import { countsSyn, TCP_CLOSE, unacknowledgedBytes, type TcpInfo } from '../kernel/tcp-info.js';
import type { ResolvedOptions } from '../options/types.js';
import { deathOf, isReset, rememberVerdict, resetError, timeoutError, wasCutOff } from './autopsy.js';
import { startHeartbeat } from './beat.js';
import type { GuardContext } from './context.js';
import { courseOf, type End } from './course.js';
import { cover, guardOf, uncover, type Originals } from './cover.js';
import { PathProbe, silenceOf, type ProbeOutcome } from './path-probe.js';
import { targetOf } from './target.js';
import type { Target, Verdict } from './verdict.js';
import { notEffective, wantedOf } from './wanted.js';

export type { GuardContext, GuardHooks } from './context.js';

/** A write the gate holds back until the probe has answered. */
export interface HeldWrite {
  readonly bytes: number;
  readonly send: () => void;
  readonly callback: (error?: Error | null) => void;
}

type State =
  | { readonly name: 'connecting' }
  | { readonly name: 'guarding'; readonly settings: AppliedSettings }
  | { readonly name: 'dead'; readonly settings: AppliedSettings | undefined; readonly verdict: Verdict }
  | { readonly name: 'released' };

const CONNECTING: State = { name: 'connecting' };
const RELEASED: State = { name: 'released' };

/** A gate that lets everything pass. A small integer, not Infinity, which would cost each socket a number object. */
const NEVER = 2 ** 31 - 1;
/** Whole milliseconds are kept of the last write, for the same reason. */
const LONG_AGO = -(2 ** 31);

/** One guarded socket: its kernel settings, its write gate, its heartbeat, and what it died of. */
export class SocketGuard {
  readonly socket: Socket;
  /** What the covered methods call through to. */
  originals: Originals;
  /** The other end; known once connected. */
  target: Target | undefined;
  /** The fleet's: where it keeps this guard; -1: nowhere. */
  place = -1;
  #context: GuardContext;
  #options: ResolvedOptions;
  #wanted: WantedSettings;
  #state: State = CONNECTING;
  #gateAfter = NEVER;
  // The first write always looks at the kernel's own stamps: a socket may have been silent before it was guarded.
  #lastWriteAt = LONG_AGO;
  #held: HeldWrite | undefined;
  #probing: PathProbe | undefined;
  #course = courseOf(true, 'none');
  #heartbeat: Heartbeat | undefined;

  constructor(socket: Socket, options: ResolvedOptions, context: GuardContext) {
    this.socket = socket;
    this.#context = context;
    this.#options = options;
    this.#wanted = wantedOf(options);
    this.originals = cover(socket, this);
    this.#start();
  }

  get context(): GuardContext {
    return this.#context;
  }

  get options(): ResolvedOptions {
    return this.#options;
  }

  /** What this guard asks of the kernel; `retune` changes it. */
  get wanted(): WantedSettings {
    return this.#wanted;
  }

  get isReleased(): boolean {
    return this.#state.name === 'released';
  }

  get settings(): AppliedSettings | undefined {
    return 'settings' in this.#state ? this.#state.settings : undefined;
  }

  get verdict(): Verdict | undefined {
    return this.#state.name === 'dead' ? this.#state.verdict : undefined;
  }

  get tcpInfo(): TcpInfo | undefined {
    const handle = tcpHandle(this.socket);
    return handle === undefined ? undefined : this.#context.kernel.tcpInfo(handle);
  }

  /** Milliseconds since the peer was last heard, keepalive acknowledgements included; undefined: not known. */
  get silence(): number | undefined {
    const info = this.tcpInfo;
    return info === undefined ? undefined : silenceOf(info);
  }

  /** See {@link End}. */
  get end(): End {
    return this.#course.end;
  }

  /** Whether TCP_INFO's bytes_acked counts a SYN on this socket: it does on the side that connected. */
  get countsSyn(): boolean {
    return this.#course.countsSyn;
  }

  /**
   * Other options, or another instance, for a socket already guarded; guarding again after a release. A dead socket is
   * guarded again when it is connected again: some drivers reuse theirs.
   */
  configure(options: ResolvedOptions, context: GuardContext = this.#context): void {
    const previous = this.#context;
    this.#context = context;
    this.#options = options;
    this.#wanted = wantedOf(options);
    switch (this.#state.name) {
      case 'connecting':
        return;
      case 'dead':
        this.#start();
        return;
      case 'released':
        this.#state = CONNECTING;
        this.originals = cover(this.socket, this);
        this.#start();
        return;
      case 'guarding': {
        const handle = tcpHandle(this.socket);
        if (handle === undefined) return;
        this.#stopHeartbeat();
        const moved = previous.hooks !== context.hooks && this.#represents(handle);
        if (moved) previous.hooks.released?.(this);
        this.#guard(handle);
        if (moved) context.hooks.hardened?.(this);
        this.#insist();
      }
    }
  }

  /**
   * Lowers the keepalive idle time of a live socket, and the interval to it; without a time, back to what is configured.
   */
  retune(idle?: number): void {
    const handle = tcpHandle(this.socket);
    if (this.#state.name !== 'guarding' || handle === undefined) return;
    this.#wanted = wantedOf(this.#options, idle);
    this.#state = guarding(this.#apply(handle));
  }

  /**
   * Asks the kernel whether the path is alive; a probe already under way is joined. `seen`: see PathProbeOptions.
   * False: it can't be asked.
   */
  ask(timeout: number | undefined, done: (outcome: ProbeOutcome) => void, seen?: TcpInfo): boolean {
    const handle = tcpHandle(this.socket);
    if (this.#state.name !== 'guarding' || handle === undefined) return false;
    const { clock, kernel } = this.#context;
    const isFirst = this.#probing === undefined;
    const options = { handle, kernel, clock, timeout: timeout ?? this.#options.probeTimeout, seen };
    const probe = PathProbe.ask(options, outcome => {
      if (isFirst) this.#probed(outcome, probe?.silence);
      done(outcome);
    });
    this.#probing = probe;
    return probe !== undefined;
  }

  /** Ends a socket whose probe said it is dead, with the error a write there would have got. */
  condemn(outcome: ProbeOutcome): void {
    if (this.#state.name !== 'guarding') return;
    if (outcome.outcome !== 'silent' && outcome.outcome !== 'reset') return;
    const error =
      outcome.outcome === 'silent'
        ? timeoutError(this.target, outcome.waited)
        : resetError(this.target, 'read');
    condemnations.set(error, outcome.outcome);
    this.socket.destroy(error);
  }

  /** Puts everything back: the kernel's values, the methods, the listeners. Idempotent. */
  release(): void {
    if (this.#state.name === 'released' || this.#state.name === 'dead') return;
    const wasGuarding = this.#state.name === 'guarding';
    const handle = tcpHandle(this.socket);
    const spoke = wasGuarding && handle !== undefined && this.#represents(handle);
    this.#stopHeartbeat();
    this.socket.removeListener('connect', onConnect);
    if (wasGuarding && handle !== undefined) {
      // Where another guard shares the handle, its gate may wait for this probe.
      if (claimsOf(handle).length === 1) this.#probing?.finish({ outcome: 'abandoned' });
      PathProbe.around(handle, () => giveUpClaim(handle, this.#context.kernel, this));
    }
    this.#letGo();
    this.#probing = undefined;
    this.#gateAfter = NEVER;
    this.#state = RELEASED;
    uncover(this.socket, this);
    if (!spoke) return;
    this.#context.hooks.released?.(this);
    const heir = newestClaim(handle);
    if (heir instanceof SocketGuard) heir.#context.hooks.hardened?.(heir);
  }

  // ---- called by the covered methods (cover.ts) ----

  /** The gate's fast path: true when the write may go straight on. One clock read. */
  passes(): boolean {
    const now = Math.trunc(this.#context.clock.now());
    const quiet = now - this.#lastWriteAt;
    this.#lastWriteAt = now;
    return quiet < this.#gateAfter;
  }

  /** The gate's slow path, after a silence: sends the write at once if there is reason to, or after the probe. */
  hold(write: HeldWrite): void {
    const seen = this.tcpInfo;
    if (!this.#shouldProbe(seen)) return write.send();
    this.#held = write;
    if (this.ask(undefined, outcome => this.#decide(outcome), seen)) this.#probing?.holdOpen();
    else this.#letGo();
  }

  /** Sees each received chunk. @returns what the reader is to get of it */
  received(chunk: Buffer): Buffer {
    return this.#heartbeat === undefined ? chunk : this.#heartbeat.received(chunk);
  }

  /**
   * The peer's stream is about to end. Node 20 and 22 report a reset as a clean end when the loop was busy: the kernel
   * knows better. @returns the error that belongs in its place
   */
  ending(): Error | undefined {
    if (this.#state.name !== 'guarding') return undefined;
    if (wasCutOff(this.socket, this.tcpInfo)) return resetError(this.target, 'read');
    if (this.end === 'none') {
      const end = this.socket.writableEnded ? 'local-first' : 'peer-first';
      this.#course = courseOf(this.countsSyn, end);
    }
    return undefined;
  }

  /** The socket is being destroyed, its descriptor still open: the last chance to ask the kernel. */
  dying(error: Error | null): void {
    if (this.#state.name === 'dead' || this.#state.name === 'released') return;
    const handle = tcpHandle(this.socket);
    const connected = this.#state.name === 'guarding';
    this.#stopHeartbeat();
    this.socket.removeListener('connect', onConnect);
    const held = this.#held;
    const isProbeReset = this.#probing !== undefined && isReset(error) && this.tcpInfo?.state === TCP_CLOSE;
    const probe = isProbeReset ? 'reset' : error === null ? undefined : condemnations.get(error);
    // Of a raw socket and the TLS socket over it, the one that dies first has the story.
    const verdict =
      this.#sharedVerdict(handle) ?? deathOf(this, { error, connected, probe, held: held?.bytes ?? 0 });
    const speaks = handle === undefined || !connected || this.#represents(handle);
    this.#state = { name: 'dead', settings: this.settings, verdict };
    if (error !== null) rememberVerdict(error, verdict);
    this.#held = undefined;
    this.#probing?.finish(
      isProbeReset ? { outcome: 'reset', info: verdict.tcpInfo } : { outcome: 'abandoned' },
    );
    this.#probing = undefined;
    if (speaks) this.#context.hooks.died?.(this, verdict);
    held?.callback(error ?? closedError());
  }

  /** The socket has its connection: settings are applied, the gate and the heartbeat start. */
  connected(): void {
    this.socket.removeListener('connect', onConnect);
    if (this.#state.name === 'released') return;
    const handle = tcpHandle(this.socket);
    if (handle === undefined) {
      // Not TCP (a Unix socket, TLS over a JavaScript stream): there is nothing to set and nothing to ask.
      this.#state = RELEASED;
      uncover(this.socket, this);
      return;
    }
    const { kernel, hooks } = this.#context;
    this.#lastWriteAt = LONG_AGO;
    const info = kernel.tcpInfo(handle);
    this.#course = courseOf((info && countsSyn(info)) ?? true, 'none');
    const older = newestClaim(handle);
    this.#guard(handle);
    if (older instanceof SocketGuard && older !== this) older.#supersede();
    hooks.hardened?.(this);
    this.#insist();
  }

  // ---- private ----

  #start(): void {
    // 'connect' is emitted before any driver's own listener runs, so the driver finds the settings in place.
    if (isConnected(this.socket)) return this.connected();
    this.socket.removeListener('connect', onConnect);
    this.socket.prependOnceListener('connect', onConnect);
  }

  #guard(handle: TcpHandle): void {
    const { probeAfterIdle, heartbeat } = this.#options;
    this.#state = guarding(this.#apply(handle));
    this.target = targetOf(this.socket, handle);
    this.#gateAfter = probeAfterIdle === false || !this.#context.kernel.canRead ? NEVER : probeAfterIdle;
    if (heartbeat !== undefined && this.#represents(handle)) {
      this.#heartbeat = startHeartbeat(this, heartbeat);
    }
  }

  #apply(handle: TcpHandle): AppliedSettings {
    return PathProbe.around(handle, () => claimSettings(handle, this.#context.kernel, this));
  }

  /** False for a raw socket once the TLS socket over it is guarded: that one speaks for the connection. */
  #represents(handle: TcpHandle): boolean {
    return newestClaim(handle) === this;
  }

  /** A TLS socket over this one took over: a heartbeat from here would be noise in its ciphertext. */
  #supersede(): void {
    this.#stopHeartbeat();
    this.#context.hooks.released?.(this);
  }

  #sharedVerdict(handle: TcpHandle | undefined): Verdict | undefined {
    if (handle === undefined) return undefined;
    for (const other of claimsOf(handle)) {
      if (other instanceof SocketGuard && other !== this && other.verdict !== undefined) return other.verdict;
    }
    return undefined;
  }

  #insist(): void {
    if (!this.#options.strict || this.#state.name !== 'guarding') return;
    const error = notEffective(this.#state.settings);
    if (error !== undefined) this.socket.destroy(error);
  }

  #shouldProbe(info: TcpInfo | undefined): boolean {
    if (info === undefined || this.#state.name !== 'guarding') return false;
    // Already over, whatever is in flight: a write now would only be lost.
    if (info.state === TCP_CLOSE) return true;
    if (silenceOf(info) < this.#gateAfter) return false;
    // With data in flight no keepalive is sent; TCP_USER_TIMEOUT watches over that data.
    return !((unacknowledgedBytes(info, this.countsSyn) ?? 0) > 0 || (info.notsent ?? 0) > 0);
  }

  #probed(outcome: ProbeOutcome, silence: number | undefined): void {
    if (this.#state.name !== 'released') this.#probing = undefined;
    if (outcome.outcome !== 'abandoned') this.#context.hooks.probed?.(this, outcome, silence);
  }

  #decide(outcome: ProbeOutcome): void {
    if (this.#held === undefined) return;
    if (outcome.outcome === 'alive' || outcome.outcome === 'abandoned') this.#letGo();
    else this.condemn(outcome);
  }

  #letGo(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#lastWriteAt = Math.trunc(this.#context.clock.now());
    held.send();
  }

  #stopHeartbeat(): void {
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
  }
}

/** Shared by all sockets: a listener of its own each would cost memory. */
function onConnect(this: Socket): void {
  guardOf(this)?.connected();
}

function isConnected(socket: Socket): boolean {
  return !socket.connecting && !socket.destroyed && tcpHandle(socket) !== undefined;
}

/** The errors that probes ended sockets with, and what each probe had said. */
const condemnations = new WeakMap<Error, 'reset' | 'silent'>();

const guardingStates = new WeakMap<AppliedSettings, State>();

/** Sockets with the same report share the state too. */
function guarding(settings: AppliedSettings): State {
  let state = guardingStates.get(settings);
  if (state === undefined) {
    state = { name: 'guarding', settings };
    guardingStates.set(settings, state);
  }
  return state;
}

function closedError(): Error {
  return new HoldfastError('ERR_HOLDFAST_CLOSED', 'the socket was closed before the write was sent');
}
