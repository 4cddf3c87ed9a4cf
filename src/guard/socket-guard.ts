import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import { HoldfastError } from '../errors.js';
import { Heartbeat } from '../heartbeat/heartbeat.js';
import type { KernelSettings } from '../kernel/binding.js';
import { tcpHandle, type TcpHandle } from '../kernel/handle.js';
import type { AppliedSettings, Kernel } from '../kernel/kernel.js';
import { pinKeepalive, unpinKeepalive, withoutPin } from '../kernel/pin.js';
import { TCP_CLOSE, unacknowledgedBytes, type TcpInfo } from '../kernel/tcp-info.js';
import type { ResolvedOptions } from '../options/types.js';
import { deathOf, rememberVerdict, resetError, timeoutError } from './autopsy.js';
import { cover, guardOf, uncover, type Originals } from './cover.js';
import { PathProbe, type ProbeOutcome } from './path-probe.js';
import { targetOf } from './target.js';
import type { Evidence, Target, Verdict } from './verdict.js';

/** What a guard shares with all others of its instance. */
export interface GuardContext {
  readonly clock: Clock;
  readonly kernel: Kernel;
  readonly hooks: GuardHooks;
}

/** Who wants to know what happens to a guarded socket. Hooks must not throw. */
export interface GuardHooks {
  /** The socket is connected and its settings are applied. */
  hardened?(guard: SocketGuard): void;
  died?(guard: SocketGuard, verdict: Verdict): void;
  probed?(guard: SocketGuard, outcome: ProbeOutcome): void;
  heartbeat?(guard: SocketGuard, rtt: number): void;
  released?(guard: SocketGuard): void;
  /** What siblings and earlier deaths say of a death at this target. */
  evidence?(target: Target | undefined, silence: number | undefined): readonly Evidence[];
  knownTimeouts?(
    target: Target | undefined,
  ): readonly { readonly name: string; readonly idleTimeout: number }[];
}

/** A write the gate holds back until the probe has answered. */
export interface HeldWrite {
  readonly bytes: number;
  readonly send: () => void;
  readonly callback: (error?: Error | null) => void;
}

type State =
  | { readonly name: 'connecting' }
  | {
      readonly name: 'guarding';
      readonly settings: AppliedSettings;
      readonly before: Partial<KernelSettings> | undefined;
    }
  | { readonly name: 'dead'; readonly settings: AppliedSettings | undefined; readonly verdict: Verdict }
  | { readonly name: 'released' };

/** A probe under way and everybody who waits for it. */
interface Probing {
  readonly probe: PathProbe;
  readonly waiting: ((outcome: ProbeOutcome) => void)[];
}

/** Without a user timeout the kernel's own is left alone. */
type Wanted = KernelSettings | Omit<KernelSettings, 'userTimeout'>;

const CONNECTING: State = { name: 'connecting' };
const RELEASED: State = { name: 'released' };

/** One guarded socket: its kernel settings, its write gate, its heartbeat, and what it died of. */
export class SocketGuard {
  readonly socket: Socket;
  readonly context: GuardContext;
  /** What the covered methods call through to. */
  originals: Originals;
  /** The other end; known once connected. */
  target: Target | undefined;
  #options: ResolvedOptions;
  #state: State = CONNECTING;
  #gateAfter = Infinity;
  #lastWriteAt = 0;
  #held: HeldWrite | undefined;
  #probing: Probing | undefined;
  #lastOutcome: 'reset' | 'silent' | undefined;
  #heartbeat: Heartbeat | undefined;

  constructor(socket: Socket, options: ResolvedOptions, context: GuardContext) {
    this.socket = socket;
    this.context = context;
    this.#options = options;
    this.originals = cover(socket, this);
    // 'connect' is emitted before any driver's own listener runs, so the driver finds the settings in place.
    if (isConnected(socket)) this.connected();
    else socket.prependOnceListener('connect', onConnect);
  }

  get options(): ResolvedOptions {
    return this.#options;
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
    return handle === undefined ? undefined : this.context.kernel.tcpInfo(handle);
  }

  /** Milliseconds since the peer was last heard, keepalive acknowledgements included; undefined: not known. */
  get silence(): number | undefined {
    const info = this.tcpInfo;
    return info === undefined ? undefined : Math.min(info.lastAckRecv, info.lastDataRecv);
  }

  /** Other options for a socket already guarded, or guarding again after a release. */
  configure(options: ResolvedOptions): void {
    this.#options = options;
    switch (this.#state.name) {
      case 'dead':
      case 'connecting':
        return;
      case 'released':
        this.#state = CONNECTING;
        this.originals = cover(this.socket, this);
        if (isConnected(this.socket)) this.connected();
        else this.socket.prependOnceListener('connect', onConnect);
        return;
      case 'guarding': {
        const { before } = this.#state;
        this.#stopHeartbeat();
        this.connected(before);
      }
    }
  }

  /** Lowers (or raises again) the keepalive idle time of a live socket; what was configured stays remembered. */
  retune(idle: number): void {
    const handle = tcpHandle(this.socket);
    if (this.#state.name !== 'guarding' || handle === undefined) return;
    const settings = this.#apply(handle, wantedOf(this.#options, idle));
    this.#state = { ...this.#state, settings };
  }

  /** Asks the kernel whether the path is alive; a probe already under way is joined. False: it can't be asked. */
  ask(timeout: number | undefined, done: (outcome: ProbeOutcome) => void): boolean {
    if (this.#probing !== undefined) {
      this.#probing.waiting.push(done);
      return true;
    }
    const handle = tcpHandle(this.socket);
    if (this.#state.name !== 'guarding' || handle === undefined) return false;
    const { clock, kernel } = this.context;
    const waiting = [done];
    const probe = PathProbe.start({
      handle,
      kernel,
      clock,
      timeout: timeout ?? this.#options.probeTimeout,
      done: outcome => {
        this.#probing = undefined;
        if (outcome.outcome !== 'abandoned') this.context.hooks.probed?.(this, outcome);
        this.#lastOutcome =
          outcome.outcome === 'silent' || outcome.outcome === 'reset' ? outcome.outcome : undefined;
        for (const listener of waiting) listener(outcome);
      },
    });
    if (probe === undefined) return false;
    this.#probing = { probe, waiting };
    return true;
  }

  /** Ends a socket whose probe said it is dead, with the error a write there would have got. */
  condemn(outcome: ProbeOutcome): void {
    if (outcome.outcome === 'silent') this.socket.destroy(timeoutError(this.target, outcome.waited));
    else if (outcome.outcome === 'reset') this.socket.destroy(resetError(this.target, 'read'));
  }

  /** Puts everything back: the kernel's values, the methods, the listeners. Idempotent. */
  release(): void {
    if (this.#state.name === 'released' || this.#state.name === 'dead') return;
    this.#stopHeartbeat();
    this.socket.removeListener('connect', onConnect);
    this.#probing?.probe.finish({ outcome: 'abandoned' });
    const handle = tcpHandle(this.socket);
    if (this.#state.name === 'guarding' && handle !== undefined) this.#restore(handle, this.#state.before);
    this.#gateAfter = Infinity;
    this.#state = RELEASED;
    uncover(this.socket, this);
    this.context.hooks.released?.(this);
  }

  // ---- called by the covered methods (cover.ts) ----

  /** The gate's fast path: true when the write may go straight on. One clock read. */
  passes(): boolean {
    const now = this.context.clock.now();
    const quiet = now - this.#lastWriteAt;
    this.#lastWriteAt = now;
    return quiet < this.#gateAfter;
  }

  /** The gate's slow path, after a silence: sends the write at once if there is reason to, or after the probe. */
  hold(write: HeldWrite): void {
    if (!this.#shouldProbe()) return write.send();
    this.#held = write;
    if (!this.ask(undefined, outcome => this.#decide(outcome))) this.#letGo();
  }

  /** Sees each received chunk. @returns what the reader is to get of it, or undefined for nothing. */
  received(chunk: Buffer): Buffer | undefined {
    const heartbeat = this.#heartbeat;
    if (heartbeat === undefined) return chunk;
    const receive = heartbeat.isWaiting ? this.#options.heartbeat?.receive : undefined;
    const rest = receive?.(chunk);
    heartbeat.heard();
    if (rest === 'consumed') return undefined;
    return rest ?? chunk;
  }

  /**
   * The stream is about to end. Node 20 and 22 report a reset as a clean end when the loop was busy: the kernel knows
   * better. @returns the error that belongs in its place
   */
  maskedReset(): Error | undefined {
    return this.#state.name === 'guarding' && this.tcpInfo?.state === TCP_CLOSE
      ? resetError(this.target, 'read')
      : undefined;
  }

  /** The socket is being destroyed, its descriptor still open: the last chance to ask the kernel. */
  dying(error: Error | null): Error | null {
    if (this.#state.name === 'dead' || this.#state.name === 'released') return error;
    const settings = this.settings;
    const connected = this.#state.name === 'guarding';
    this.#stopHeartbeat();
    this.socket.removeListener('connect', onConnect);
    const held = this.#held;
    const probedReset = this.#probing !== undefined && error !== null;
    const verdict = deathOf(this, {
      error,
      connected,
      probe: probedReset ? 'reset' : this.#lastOutcome,
      held: held?.bytes ?? 0,
    });
    this.#state = { name: 'dead', settings, verdict };
    if (error !== null) rememberVerdict(error, verdict);
    this.#held = undefined;
    this.#probing?.probe.finish(
      probedReset ? { outcome: 'reset', info: verdict.tcpInfo } : { outcome: 'abandoned' },
    );
    this.context.hooks.died?.(this, verdict);
    held?.callback(error ?? closedError());
    return error;
  }

  /** The socket has its connection: settings are applied, the gate and the heartbeat start. */
  connected(before?: Partial<KernelSettings>): void {
    const handle = tcpHandle(this.socket);
    // Not TCP (a Unix socket, TLS over a JavaScript stream): there is nothing to set and nothing to ask.
    if (handle === undefined) return;
    const { kernel, clock, hooks } = this.context;
    const remembered = before ?? kernel.read(handle);
    const settings = this.#apply(handle, wantedOf(this.#options));
    this.#state = { name: 'guarding', settings, before: remembered };
    this.target = targetOf(this.socket, handle);
    this.#lastWriteAt = clock.now();
    const { probeAfterIdle } = this.#options;
    this.#gateAfter = probeAfterIdle === false || !kernel.canRead ? Infinity : probeAfterIdle;
    this.#startHeartbeat();
    hooks.hardened?.(this);
    if (this.#options.strict) this.#insist(settings);
  }

  // ---- private ----

  #apply(handle: TcpHandle, wanted: Wanted): AppliedSettings {
    const settings = withoutPin(handle, () => this.context.kernel.apply(handle, wanted));
    pinKeepalive(handle);
    return settings;
  }

  #restore(handle: TcpHandle, before: Partial<KernelSettings> | undefined): void {
    const suppressed = unpinKeepalive(handle);
    const { kernel } = this.context;
    if (before !== undefined) kernel.apply(handle, before as KernelSettings);
    // A driver that asked for something meanwhile was told it had it: now it gets it.
    if (suppressed !== undefined) handle.setKeepAlive(...suppressed);
  }

  #insist(settings: AppliedSettings): void {
    const failed = Object.entries(settings)
      .map(
        ([name, report]: [string, AppliedSettings['idle' | 'keepalive'] | undefined]) =>
          [name, report?.reason] as const,
      )
      .filter(([, reason]) => reason !== undefined);
    if (failed.length === 0) return;
    const list = failed.map(([name, reason]) => `${name} (${reason ?? ''})`).join(', ');
    const message = `strict is on and the kernel does not hold: ${list}`;
    this.socket.destroy(new HoldfastError('ERR_HOLDFAST_NOT_EFFECTIVE', message, { details: { settings } }));
  }

  #shouldProbe(): boolean {
    const info = this.tcpInfo;
    if (info === undefined || this.#state.name !== 'guarding') return false;
    if (Math.min(info.lastAckRecv, info.lastDataRecv) < this.#gateAfter && info.state !== TCP_CLOSE)
      return false;
    // With data in flight no keepalive is sent; TCP_USER_TIMEOUT watches over that data.
    return !((unacknowledgedBytes(info) ?? 0) > 0 || (info.notsent ?? 0) > 0);
  }

  #decide(outcome: ProbeOutcome): void {
    if (this.#held === undefined) return;
    if (outcome.outcome === 'alive') return this.#letGo();
    if (outcome.outcome === 'abandoned') return this.#state.name === 'guarding' ? this.#letGo() : undefined;
    return this.condemn(outcome);
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#lastWriteAt = this.context.clock.now();
    held?.send();
  }

  #startHeartbeat(): void {
    const times = this.#options.heartbeat;
    if (times === undefined) return;
    const { clock, hooks } = this.context;
    this.#heartbeat = new Heartbeat(clock, times, {
      send: () => {
        const payload = times.send(this.socket);
        if (payload !== undefined) this.socket.write(payload);
      },
      giveUp: waited => {
        const message = `no byte came back within ${Math.round(waited)} ms of a heartbeat`;
        this.socket.destroy(new HoldfastError('ERR_HOLDFAST_HEARTBEAT_TIMEOUT', message));
      },
      report: rtt => hooks.heartbeat?.(this, rtt),
    });
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
  return !socket.connecting && tcpHandle(socket) !== undefined;
}

function closedError(): Error {
  return new HoldfastError('ERR_HOLDFAST_CLOSED', 'the socket was closed before the write was sent');
}

const MOST_WANTED = 256;
const wantedByKey = new Map<string, Wanted>();

/** One object for all sockets that ask for the same, so that their reports can be shared too. */
function wantedOf({ keepalive, userTimeout }: ResolvedOptions, idle = keepalive.idle): Wanted {
  const { interval, count } = keepalive;
  const key = `${idle}|${interval}|${count}|${String(userTimeout)}`;
  let settings = wantedByKey.get(key);
  if (settings === undefined) {
    const base = { keepalive: true, idle, interval, count };
    settings = Object.freeze(userTimeout === false ? base : { ...base, userTimeout });
    if (wantedByKey.size >= MOST_WANTED) wantedByKey.clear();
    wantedByKey.set(key, settings);
  }
  return settings;
}
