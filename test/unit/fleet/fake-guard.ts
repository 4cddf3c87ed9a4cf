import type { ProbeOutcome } from '../../../src/guard/path-probe.js';
import type { SocketGuard } from '../../../src/guard/socket-guard.js';
import type { Target, Verdict } from '../../../src/guard/verdict.js';
import { wantedOf } from '../../../src/guard/wanted.js';
import type { WantedSettings } from '../../../src/kernel/binding.js';
import type { TcpInfo } from '../../../src/kernel/tcp-info.js';
import { resolveOptions } from '../../../src/options/resolve.js';
import type { HoldfastOptions } from '../../../src/options/types.js';

export const TARGET: Target = { host: 'db.internal', address: '10.0.0.5', port: 5432 };

const INFO: TcpInfo = {
  state: 1,
  retransmits: 0,
  probes: 0,
  backoff: 0,
  unacked: 0,
  lastDataSent: 0,
  lastDataRecv: 0,
  lastAckRecv: 0,
  rtt: 1,
  totalRetrans: 0,
  bytesAcked: 101,
  bytesReceived: 50,
  notsent: 0,
  bytesSent: 100,
  bytesRetrans: 0,
  sendWindow: 65_536,
};

/** A TCP_INFO after so much silence. */
export function infoAfter(silence: number, changes: Partial<TcpInfo> = {}): TcpInfo {
  return { ...INFO, lastAckRecv: silence, lastDataRecv: silence, lastDataSent: silence, ...changes };
}

/** The part of a SocketGuard that a fleet sees, with a script for its path. */
export class FakeGuard {
  place = -1;
  target: Target | undefined;
  readonly options;
  readonly countsSyn = true;
  tcpInfo: TcpInfo | undefined;
  wanted: WantedSettings;
  settings: object | undefined = {};
  /** What was asked and done, in order. */
  readonly log: string[] = [];
  #waiting: ((outcome: ProbeOutcome) => void)[] = [];
  askTimeout: number | undefined;

  constructor(
    silence: number,
    options: HoldfastOptions = {},
    readonly name = 'guard',
    target: Target | undefined = TARGET,
  ) {
    this.options = resolveOptions(options);
    this.wanted = wantedOf(this.options);
    this.tcpInfo = infoAfter(silence);
    this.target = target;
  }

  get asGuard(): SocketGuard {
    return this as unknown as SocketGuard;
  }

  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }

  ask(timeout: number | undefined, done: (outcome: ProbeOutcome) => void): boolean {
    this.log.push('asked');
    this.askTimeout = timeout;
    this.#waiting.push(done);
    return true;
  }

  answer(outcome: ProbeOutcome): void {
    for (const done of this.#waiting.splice(0)) done(outcome);
  }

  condemn(outcome: ProbeOutcome): void {
    this.log.push(`condemned: ${outcome.outcome}`);
  }

  retune(idle?: number): void {
    this.wanted = wantedOf(this.options, idle);
    this.log.push(`retuned: ${this.wanted.idle}/${this.wanted.interval}`);
  }
}

export const ALIVE: ProbeOutcome = { outcome: 'alive', rtt: 1 };
export const RESET: ProbeOutcome = { outcome: 'reset', info: undefined };
export const SILENT: ProbeOutcome = { outcome: 'silent', waited: 250, info: undefined };

/** The verdict of a socket that a reset (or silence) ended after so much silence. */
export function verdictAfter(silence: number, changes: Partial<Verdict> = {}): Verdict {
  return {
    cause: 'nat-eviction',
    confidence: 0.9,
    code: 'ECONNRESET',
    silence,
    delivery: 'all-acknowledged',
    bytes: { sent: 100, acknowledged: 100, unacknowledged: 0, unsent: 0, queued: 0, received: 50 },
    evidence: [],
    tcpInfo: infoAfter(silence, { state: 7 }),
    target: TARGET,
    at: 0,
    ...changes,
  };
}

/** A death by an unanswered probe. */
export function silentVerdict(silence: number): Verdict {
  return verdictAfter(silence, {
    cause: 'path-timeout',
    code: 'ETIMEDOUT',
    evidence: [{ fact: 'probe-unanswered', weight: 0, detail: '' }],
    tcpInfo: infoAfter(silence),
  });
}
