import type { Clock } from '../clock.js';
import type { Kernel } from '../kernel/kernel.js';
import type { ProbeOutcome } from './path-probe.js';
import type { SocketGuard } from './socket-guard.js';
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
  /** Called once for each connection: where a TLS socket and the raw one under it are both guarded, for the TLS socket. */
  died?(guard: SocketGuard, verdict: Verdict): void;
  /** @param silence how long the peer had been silent when the probe began */
  probed?(guard: SocketGuard, outcome: ProbeOutcome, silence: number | undefined): void;
  heartbeat?(guard: SocketGuard, rtt: number): void;
  /** This guard no longer speaks for its connection: released, or a TLS socket over its socket was guarded. */
  released?(guard: SocketGuard): void;
  /** What siblings and earlier deaths say of a death at this target. */
  evidence?(target: Target | undefined, silence: number | undefined): readonly Evidence[];
  knownTimeouts?(
    target: Target | undefined,
  ): readonly { readonly name: string; readonly idleTimeout: number }[];
}
