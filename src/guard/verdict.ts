import type { TcpInfo } from '../kernel/tcp-info.js';

/** What a connection died of. */
export type Cause =
  /** A reset after silence: a NAT, balancer or firewall had forgotten the flow. */
  | 'nat-eviction'
  /** No answer at all: packets vanish, or a heartbeat went unanswered. */
  | 'path-timeout'
  /** The peer reset a connection in use. */
  | 'peer-reset'
  /** The peer ended the connection with a FIN. */
  | 'peer-closed'
  /** The peer is alive and does not read: its window stayed at zero past the user timeout. */
  | 'peer-stalled'
  /** Nobody listens at the address. */
  | 'refused'
  /** The host or network can't be reached, or the name does not resolve. */
  | 'unreachable'
  /** This process closed it. */
  | 'local-close'
  | 'unknown';

/** What is known of the bytes written since the last acknowledged one. */
export type Delivery =
  /**
   * None of them left this host: writing them again on another connection can't deliver them twice. Always so for a
   * connection that was never made.
   */
  | 'never-sent'
  /** Nothing is outstanding: all that was written reached the peer's kernel, or a proxy's. */
  | 'all-acknowledged'
  /** Some were sent and not acknowledged; whether they arrived can't be known from this side. */
  | 'uncertain';

/** Byte counts at death. For TLS the kernel's counts are of ciphertext. `undefined`: this platform can't tell. */
export interface ByteCounts {
  /** Left this host at least once. */
  readonly sent: number | undefined;
  /** Acknowledged by the peer's kernel or a proxy in between; not proof that an application read them. */
  readonly acknowledged: number | undefined;
  /** Sent and not acknowledged. */
  readonly unacknowledged: number | undefined;
  /** Accepted by this kernel, never sent. */
  readonly unsent: number | undefined;
  /** Still in this process: waiting at the write gate or in the stream's buffer. */
  readonly queued: number;
  readonly received: number | undefined;
}

/** One named fact a verdict rests on. */
export interface Evidence {
  /** A stable name, such as `silence`, `answered-probe-with-reset`, `siblings-lived`. */
  readonly fact: string;
  /** How far it speaks for (above 0) or against (below 0) the network having done it, -3 to 3. */
  readonly weight: number;
  /** One line for a person. */
  readonly detail: string;
}

/** The other end, as far as it is known. */
export interface Target {
  /** The name asked for, or the address where no name was. */
  readonly host: string;
  readonly address: string | undefined;
  readonly port: number;
}

/** What a connection died of, how sure that is, and what became of its bytes. */
export interface Verdict {
  readonly cause: Cause;
  /** 0 to 1. */
  readonly confidence: number;
  /** The system's code, such as `ECONNRESET`, where there was one. */
  readonly code: string | undefined;
  /** Milliseconds since the last sign of life from the peer; undefined for a connection never made. */
  readonly silence: number | undefined;
  readonly delivery: Delivery;
  readonly bytes: ByteCounts;
  readonly evidence: readonly Evidence[];
  /** The kernel's own record, read while the descriptor was still open. */
  readonly tcpInfo?: TcpInfo | undefined;
  readonly target: Target | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
