import type { Target, Verdict } from '../guard/verdict.js';
import type { ResumedEvent, SuspendedEvent } from '../reconnect/events.js';
import type { SweptEvent } from '../fleet/fleet.js';
import type { LearnedEvent, UnlearnedEvent } from '../fleet/teacher.js';
import type { AppliedSettings } from '../kernel/kernel.js';

/** What a `Holdfast` instance tells. Each payload is one object; names are facts in the past tense. */
export interface HoldfastEvents {
  /** A socket connected and its settings were applied and read back. */
  hardened: { readonly target: Target | undefined; readonly settings: AppliedSettings };
  /** A connected socket is guarded no more: its owner released it, or a TLS socket over it speaks for it now. */
  released: { readonly target: Target | undefined };
  /** A guarded socket ended, in whatever way. */
  died: { readonly target: Target | undefined; readonly verdict: Verdict };
  /** A guarded socket ended because the network forgot its flow or swallowed its packets. */
  evicted: { readonly target: Target | undefined; readonly verdict: Verdict };
  /** A path was asked whether it is alive. `rtt` in milliseconds. */
  probed: { readonly target: Target | undefined; readonly alive: boolean; readonly rtt: number | undefined };
  /** A heartbeat was answered. `rtt` in milliseconds. */
  heartbeat: { readonly target: Target | undefined; readonly rtt: number };
  /** The silent sockets of a target, or of all, were probed together and the dead ones destroyed. */
  swept: SweptEvent;
  /** An eviction taught how long the path to a target remembers an idle flow; keepalive was shortened. */
  learned: LearnedEvent;
  /** A flow outlived the silence thought fatal: the lesson was taken back, keepalive is as configured again. */
  unlearned: UnlearnedEvent;
  /** A reconnecting socket lost its connection and will make another. */
  suspended: SuspendedEvent & { readonly target: Target | undefined };
  /** A reconnecting socket has a new connection in use. `downtime` in milliseconds. */
  resumed: ResumedEvent & { readonly target: Target | undefined };
}
