import type { Socket } from 'node:net';
import { systemClock } from './clock.js';
import { publish } from './events/channels.js';
import { debug } from './events/debug.js';
import type { HoldfastEvents } from './events/events.js';
import { SafeEmitter } from './events/safe-emitter.js';
import { Fleet } from './fleet/fleet.js';
import { Lessons } from './fleet/lessons.js';
import type { TargetName } from './fleet/registry.js';
import type { SweepResult } from './fleet/sweep.js';
import { connectSocket, splitConnectOptions, type ConnectOptions } from './guard/connect.js';
import { guardOf } from './guard/cover.js';
import { hardenSocket, requireSocket, type Guard } from './guard/harden.js';
import { probeSocket, type ProbeOptions, type ProbeResult } from './guard/probe.js';
import type { GuardContext } from './guard/socket-guard.js';
import { tcpHandle } from './kernel/handle.js';
import { kernelFor } from './kernel/kernel.js';
import type { TcpInfo } from './kernel/tcp-info.js';
import { createReconnectingSocket } from './reconnect/reconnecting-socket.js';
import type { ReconnectingSocket, ReconnectingSocketOptions } from './reconnect/reconnecting-socket.js';
import type { SessionHooks } from './reconnect/session-setup.js';
import { resolveOptions, withOptions } from './options/resolve.js';
import type { BackendName, HoldfastOptions, ResolvedOptions } from './options/types.js';

/**
 * The library with options, events and memory of its own. The functions of the package's entry belong to one shared
 * instance that reads its options from the environment; make your own where two parts of a process need different
 * settings, or where you want to hear what happens.
 */
export class Holdfast extends SafeEmitter<HoldfastEvents> {
  /** Validated options, with every default filled in. */
  readonly options: ResolvedOptions;
  /** What this instance's targets taught about their paths; see docs/fleet.md. */
  readonly lessons: Lessons;
  readonly #fleet: Fleet;
  readonly #context: GuardContext;
  /** For the backends that single calls ask for; sockets share them. */
  readonly #contexts = new Map<BackendName, GuardContext>();
  /** One object, so that sessions share it. */
  readonly #sessionHooks: SessionHooks = {
    suspended: (target, event) => this.#tell('suspended', { target, ...event }),
    resumed: (target, event) => this.#tell('resumed', { target, ...event }),
  };

  /**
   * @param options the instance's options; nothing is read from the environment unless `sources.env` is given
   * @throws HoldfastError ERR_HOLDFAST_OPTIONS with every problem in one error
   */
  constructor(options: HoldfastOptions = {}, sources: { readonly env?: NodeJS.ProcessEnv } = {}) {
    super();
    this.options = resolveOptions(options, sources);
    this.lessons = new Lessons(systemClock, (host, port) => this.#fleet.retune(host, port));
    this.#fleet = new Fleet(systemClock, this.lessons, {
      swept: event => this.#tell('swept', event),
      learned: event => this.#tell('learned', event),
      unlearned: event => this.#tell('unlearned', event),
    });
    this.#context = { clock: systemClock, kernel: kernelFor(this.options.backend), hooks: this.#hooks() };
  }

  /** See {@link harden}. */
  harden(socket: Socket, options?: HoldfastOptions): Guard {
    requireSocket(socket, 'harden');
    const resolved = this.#resolve(options);
    const guard = hardenSocket(socket, resolved, this.#contextFor(resolved));
    // Other options for a live socket undo what its target taught.
    const known = guardOf(socket);
    if (known !== undefined && guard.settings !== undefined) this.#fleet.joined(known);
    return guard;
  }

  /** See {@link connect}. */
  connect(options: ConnectOptions, listener?: () => void): Socket {
    const { target, own } = splitConnectOptions(options);
    const resolved = this.#resolve(own);
    return connectSocket(target, resolved, this.#contextFor(resolved), listener);
  }

  /** See {@link createReconnectingSocket}. */
  createReconnectingSocket(options: ReconnectingSocketOptions): ReconnectingSocket {
    const { target, own } = splitConnectOptions(options);
    const resolved = this.#resolve(own);
    return createReconnectingSocket(target, resolved, this.#contextFor(resolved), this.#sessionHooks);
  }

  /** See {@link probe}. */
  async probe(socket: Socket, options?: ProbeOptions): Promise<ProbeResult> {
    requireSocket(socket, 'probe');
    return probeSocket(socket, this.#context, options);
  }

  /** See {@link sweep}. */
  async sweep(target?: TargetName): Promise<SweepResult> {
    return this.#fleet.sweep(target);
  }

  /** See {@link readTcpInfo}. */
  readTcpInfo(socket: Socket): TcpInfo | undefined {
    requireSocket(socket, 'readTcpInfo');
    const handle = tcpHandle(socket);
    return handle === undefined ? undefined : this.#context.kernel.tcpInfo(handle);
  }

  #resolve(options: HoldfastOptions | undefined): ResolvedOptions {
    if (options === undefined) return this.options;
    return withOptions(this.options, options);
  }

  #contextFor({ backend }: ResolvedOptions): GuardContext {
    if (backend === this.options.backend) return this.#context;
    let context = this.#contexts.get(backend);
    if (context === undefined) {
      context = { ...this.#context, kernel: kernelFor(backend) };
      this.#contexts.set(backend, context);
    }
    return context;
  }

  #tell<K extends keyof HoldfastEvents>(event: K, payload: HoldfastEvents[K]): void {
    this.announce(event, payload);
    publish(event, payload);
  }

  #hooks(): GuardContext['hooks'] {
    return {
      hardened: guard => {
        this.#fleet.joined(guard);
        const { target, settings } = guard;
        if (settings !== undefined) this.#tell('hardened', { target, settings });
      },
      died: (guard, verdict) => {
        const target = verdict.target ?? guard.target;
        debug('%s:%d died: %s, %s', target?.host, target?.port, verdict.cause, verdict.delivery);
        this.#tell('died', { target, verdict });
        if (verdict.cause === 'nat-eviction' || verdict.cause === 'path-timeout') {
          this.#tell('evicted', { target, verdict });
        }
        this.#fleet.died(guard, verdict);
      },
      released: guard => {
        this.#fleet.left(guard);
        this.#tell('released', { target: guard.target });
      },
      evidence: (target, silence) => this.#fleet.evidence(target, silence),
      knownTimeouts: target => this.#fleet.knownTimeouts(target),
      probed: (guard, outcome, silence) => {
        const { target } = guard;
        const rtt = outcome.outcome === 'alive' ? outcome.rtt : undefined;
        this.#tell('probed', { target, alive: outcome.outcome === 'alive', rtt });
        this.#fleet.probed(guard, outcome, silence);
      },
      heartbeat: ({ target }, rtt) => this.#tell('heartbeat', { target, rtt }),
    };
  }
}
