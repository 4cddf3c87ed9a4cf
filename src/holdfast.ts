import type { Socket } from 'node:net';
import { systemClock } from './clock.js';
import { publish } from './events/channels.js';
import { debug } from './events/debug.js';
import type { HoldfastEvents } from './events/events.js';
import { SafeEmitter } from './events/safe-emitter.js';
import { connectSocket, splitConnectOptions, type ConnectOptions } from './guard/connect.js';
import { hardenSocket, requireSocket, type Guard } from './guard/harden.js';
import { probeSocket, type ProbeOptions, type ProbeResult } from './guard/probe.js';
import type { GuardContext } from './guard/socket-guard.js';
import { tcpHandle } from './kernel/handle.js';
import { kernelFor } from './kernel/kernel.js';
import type { TcpInfo } from './kernel/tcp-info.js';
import { resolveOptions, withOptions } from './options/resolve.js';
import type { HoldfastOptions, ResolvedOptions } from './options/types.js';

/**
 * The library with options, events and memory of its own. The functions of the package's entry belong to one shared
 * instance that reads its options from the environment; make your own where two parts of a process need different
 * settings, or where you want to hear what happens.
 */
export class Holdfast extends SafeEmitter<HoldfastEvents> {
  /** Validated options, with every default filled in. */
  readonly options: ResolvedOptions;
  readonly #context: GuardContext;

  /**
   * @param options the instance's options; nothing is read from the environment unless `sources.env` is given
   * @throws HoldfastError ERR_HOLDFAST_OPTIONS with every problem in one error
   */
  constructor(options: HoldfastOptions = {}, sources: { readonly env?: NodeJS.ProcessEnv } = {}) {
    super();
    this.options = resolveOptions(options, sources);
    this.#context = { clock: systemClock, kernel: kernelFor(this.options.backend), hooks: this.#hooks() };
  }

  /** See {@link harden}. */
  harden(socket: Socket, options?: HoldfastOptions): Guard {
    requireSocket(socket, 'harden');
    const resolved = this.#resolve(options);
    return hardenSocket(socket, resolved, this.#contextFor(resolved));
  }

  /** See {@link connect}. */
  connect(options: ConnectOptions, listener?: () => void): Socket {
    const { target, own } = splitConnectOptions(options);
    const resolved = this.#resolve(own);
    return connectSocket(target, resolved, this.#contextFor(resolved), listener);
  }

  /** See {@link probe}. */
  async probe(socket: Socket, options?: ProbeOptions): Promise<ProbeResult> {
    requireSocket(socket, 'probe');
    return probeSocket(socket, this.#context, options);
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
    return backend === this.options.backend
      ? this.#context
      : { ...this.#context, kernel: kernelFor(backend) };
  }

  #tell<K extends keyof HoldfastEvents>(event: K, payload: HoldfastEvents[K]): void {
    this.announce(event, payload);
    publish(event, payload);
  }

  #hooks(): GuardContext['hooks'] {
    return {
      hardened: guard => {
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
      },
      probed: ({ target }, outcome) => {
        const rtt = outcome.outcome === 'alive' ? outcome.rtt : undefined;
        this.#tell('probed', { target, alive: outcome.outcome === 'alive', rtt });
      },
      heartbeat: ({ target }, rtt) => this.#tell('heartbeat', { target, rtt }),
    };
  }
}
