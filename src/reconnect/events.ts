import type { Socket } from 'node:net';
import type { Verdict } from '../guard/verdict.js';

/**
 * A range of the session's outgoing stream. Offsets count the bytes written to the session since it was made, over all
 * generations; what a resume hook writes on the physical socket does not count.
 */
export interface UncertainBytes {
  /** `end - start`: 0 when everything handed over is known to have been acknowledged. */
  readonly bytes: number;
  /**
   * The first byte not known to be acknowledged. Exact on a plain connection where TCP_INFO can be read; with TLS the
   * kernel counts ciphertext, so it errs towards too early; without TCP_INFO it is where the generation started.
   */
  readonly start: number;
  /** The end of what was handed over. Writes from here on are held, and go out after the resume. */
  readonly end: number;
}

/** Writes that no generation has been given yet. */
export interface PendingWrites {
  readonly bytes: number;
  readonly writes: number;
}

/** A generation died and the policy says to go on. */
export interface SuspendedEvent {
  readonly verdict: Verdict;
  readonly uncertain: UncertainBytes;
  readonly pending: PendingWrites;
}

/** One attempt to connect was made. */
export interface AttemptedEvent {
  /** Counts from 1 in each outage. */
  readonly attempt: number;
  /** Milliseconds waited before it. */
  readonly delay: number;
  /** Why it failed; absent when it connected. */
  readonly error?: Error;
}

/** A new generation is in use. Held writes go out next. */
export interface ResumedEvent {
  /** Counts from 1, the first connection. */
  readonly generation: number;
  /** Milliseconds without a connection in use. */
  readonly downtime: number;
  /** What the generation before it died of. */
  readonly verdict: Verdict;
}

/** A heartbeat was answered. */
export interface HeartbeatEvent {
  /** Milliseconds from the beat to the first byte after it. */
  readonly rtt: number;
}

/** What a resume hook is given. */
export interface ResumeSession {
  /**
   * The new physical socket, connected (with TLS: secured and verified). The hook may read and write on it as on any
   * socket; what it leaves unread goes to the session's reader.
   */
  readonly socket: Socket;
  readonly generation: number;
  readonly verdict: Verdict;
  readonly pending: PendingWrites;
  readonly uncertain: UncertainBytes;
}

export type ResumeHook = (session: ResumeSession) => unknown;

/** The events a `ReconnectingSocket` has beyond a net.Socket's. Each payload is one object. */
export interface SessionEvents {
  suspended: [SuspendedEvent];
  attempted: [AttemptedEvent];
  resumed: [ResumedEvent];
  heartbeat: [HeartbeatEvent];
}
