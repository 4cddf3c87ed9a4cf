import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { endChild } from './end-child.js';
import { LabError } from './lab-error.js';
import {
  resolveSettings,
  type BackendName,
  type EffectiveSettings,
  type Expiry,
  type NatSettings,
} from './options.js';

const TIMELINE = ['flow', 'evicted', 'reset', 'dropped'] as const;

/** The two ends of the NAT. */
export type Side = 'client' | 'server';

/** One TCP flow the NAT still knows. Addresses are `host:port`, IPv6 in brackets. */
export interface Flow {
  /** The client, as it names itself. */
  readonly client: string;
  /** Where the client connected to. */
  readonly server: string;
  /** The client as the server sees it. Undefined while the emulated NAT is still dialing the server. */
  readonly translated: string | undefined;
  /** Conntrack's name for the state: `SYN_SENT`, `ESTABLISHED`, `FIN_WAIT`, `TIME_WAIT` ... */
  readonly state: string;
  /** Milliseconds until the flow is forgotten, if no packet comes. The kernel backend knows whole seconds. */
  readonly expiresIn: number;
}

export interface FlowEvent {
  /** Milliseconds since the lab was made, on a monotonic clock. */
  readonly at: number;
  readonly flow: Flow;
}

export interface PacketEvent {
  /** Milliseconds since the lab was made, on a monotonic clock. */
  readonly at: number;
  /** The side whose packets met a forgotten flow. */
  readonly from: Side;
  /** How many: IP packets (kernel), chunks of payload or a FIN (emulated). */
  readonly packets: number;
}

/**
 * The lab's timeline. The kernel backend looks every 250 ms, and only while someone listens: what begins and ends
 * between two looks is not seen, and `at` is when it was noticed.
 */
export interface NatLabEvents {
  /** A new flow crossed the NAT. */
  flow: [FlowEvent];
  /** The NAT forgot an established flow: it was idle too long, or `forget()` was called. */
  evicted: [FlowEvent];
  /** Packets of a forgotten flow were answered with a RST. */
  reset: [PacketEvent];
  /** Packets of a forgotten flow were swallowed. */
  dropped: [PacketEvent];
}

export interface Route {
  readonly host: string;
  readonly port: number;
}

/**
 * A NAT that forgets idle flows, with a client side and a server side. Made by `createNatLab`; ended by `close()`,
 * `await using`, or the end of the process.
 *
 * Every method throws (or rejects with) a `LabError`, code `ERR_HOLDFAST_LAB`, once the lab is closed.
 */
export abstract class NatLab extends EventEmitter<NatLabEvents> {
  abstract readonly backend: BackendName;
  /** Where the server side is, as the client sees it (IPv4). */
  abstract readonly serverAddress: string;
  /** The same in IPv6; undefined in the emulated backend and where the kernel has no IPv6. */
  abstract readonly serverAddress6: string | undefined;
  /** Why `backend: 'auto'` took the emulated backend; otherwise undefined. */
  readonly reason: string | undefined;

  readonly #born = performance.now();
  readonly #children = new Set<ChildProcess>();
  #settings: EffectiveSettings;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(settings: EffectiveSettings, reason?: string) {
    super();
    this.#settings = settings;
    this.reason = reason;
    const emitter = this as EventEmitter; // the typed map leaves out node's own two events
    emitter.on('newListener', (event: unknown) => {
      if (TIMELINE.some(name => name === event)) this.watch(!this.#closing);
    });
    emitter.on('removeListener', () => {
      this.watch(!this.#closing && TIMELINE.some(name => this.listenerCount(name) > 0));
    });
  }

  /** Without an argument: removes the listeners of the four events, and not those the lab needs itself. */
  override removeAllListeners(event?: keyof NatLabEvents): this {
    for (const name of event === undefined ? TIMELINE : [event]) super.removeAllListeners(name);
    return this;
  }

  /** Silence after which a flow is forgotten, in milliseconds, as it holds: the kernel backend rounds up to seconds. */
  get idleTimeout(): number {
    return this.#settings.idleTimeout;
  }

  /** What happens to packets of a forgotten flow. */
  get expiry(): Expiry {
    return this.#settings.expiry;
  }

  /**
   * Where a client reaches the server that listens on `port` on the server side. The kernel backend answers
   * `serverAddress` and the same port; the emulated one starts a relay on a free loopback port (one for each
   * `port`, the server may start later).
   */
  abstract route(port: number): Promise<Route>;

  /**
   * Moves the calling thread into the network of one side, or back to the one the lab was made in (`'host'`):
   * sockets made and programs started afterwards live there. Kernel backend only. Needs root, or a user namespace
   * in which this process is root (`unshare --user --map-root-user --net node ...`), and koffi.
   */
  abstract enter(side: Side | 'host'): void;

  /**
   * Runs `fn` in the network of one side and returns to where the thread was before, also when `fn` throws. Only
   * what `fn` does synchronously happens there: `net.createServer().listen(0)` makes its socket at once, `listen`
   * with a host and `net.connect` make theirs later. In the emulated backend both sides are this host, so `fn`
   * just runs.
   */
  abstract inside<T>(side: Side | 'host', fn: () => T): T;

  /** The TCP flows the NAT knows now. */
  abstract flows(): Promise<Flow[]>;

  /** Forgets every flow at once, as a NAT that reboots. */
  abstract forget(): Promise<void>;

  /**
   * Starts a program on one side; options as for `child_process.spawn`. It is ended with the lab (SIGTERM, then
   * SIGKILL a second later). In the kernel backend a program that can't be run shows as exit code 127 or 126, not
   * as an 'error' event, and the program is killed with this process too, unless it is `detached`.
   */
  spawn(side: Side, command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    this.assertOpen();
    const [program, programArgs] = this.commandOn(side, command, args, options);
    const child = spawn(program, programArgs, options);
    this.#children.add(child);
    const gone = (): void => void this.#children.delete(child);
    child.once('exit', gone).once('error', gone);
    return child;
  }

  /**
   * Changes the NAT while it runs; what is left out stays. A new `expiry` holds for the next packet. A new
   * `idleTimeout` holds for a flow from its next packet on; until then it keeps the time it was given.
   */
  async configure(settings: NatSettings): Promise<void> {
    this.assertOpen();
    this.#settings = await this.apply(resolveSettings(settings, this.#settings));
  }

  /** Ends the programs started with `spawn`, then the NAT. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#children].map(child => endChild(child)));
    await this.tearDown();
  }

  /** @internal */
  protected get settings(): EffectiveSettings {
    return this.#settings;
  }

  /** Milliseconds since the lab was made. @internal */
  protected age(): number {
    return performance.now() - this.#born;
  }

  /** @internal */
  protected assertOpen(): void {
    if (this.#closing) throw new LabError('the lab is closed');
  }

  /** The command line that runs `command` on that side. @internal */
  protected abstract commandOn(
    side: Side,
    command: string,
    args: readonly string[],
    options: SpawnOptions,
  ): [program: string, args: string[]];

  /** Starts or stops looking for what the timeline tells; nothing runs while nobody listens. @internal */
  protected abstract watch(isWanted: boolean): void;

  /** Puts settings in force and returns them as they hold. @internal */
  protected abstract apply(settings: EffectiveSettings): Promise<EffectiveSettings>;

  /** @internal */
  protected abstract tearDown(): Promise<void>;
}
