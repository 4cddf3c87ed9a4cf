import {
  acknowledgedBytes,
  sentBytes,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  unacknowledgedBytes,
  type TcpInfo,
} from '../kernel/tcp-info.js';
import type { ByteCounts, Cause, Delivery, Evidence, Target, Verdict } from './verdict.js';

/** What was known of a socket at the moment it died. Milliseconds and bytes. */
export interface DeathFacts {
  /** What destroyed it, if anything did. */
  readonly error: { readonly code: string | undefined } | undefined;
  readonly connected: boolean;
  readonly tcpInfo: TcpInfo | undefined;
  /** Whether bytes_acked counts a SYN: on the side that connected. */
  readonly countsSyn: boolean;
  /** Since the last sign of life from the peer. */
  readonly silence: number | undefined;
  /** Bytes that never reached this kernel. */
  readonly queued: number;
  /** Bytes handed to Node's handle over the socket's life: what is left to go by where there is no TCP_INFO. */
  readonly handedOver: number;
  /** What a probe said for which the socket was destroyed, or which was under way when a reset came. */
  readonly probe: 'reset' | 'silent' | undefined;
  /** Whose FIN came first, once the peer's has been read. */
  readonly end: 'none' | 'peer-first' | 'local-first';
  /** The kernel says the connection is over, and no FIN came: a reset or a timeout, whatever the error says. */
  readonly isCutOff: boolean;
  readonly userTimeout: number | false;
  /** Idle timeouts that would explain the silence: presets', and what this destination taught. */
  readonly knownTimeouts: readonly { readonly name: string; readonly idleTimeout: number }[];
  /** What others know: siblings, recurrence. */
  readonly evidence: readonly Evidence[];
  readonly target: Target | undefined;
  readonly at: number;
}

/** How the system reports a reset. */
export const RESET_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const UNREACHABLE: ReadonlySet<string> = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const TIMEOUTS: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_HOLDFAST_DEADLINE',
]);
/** CLOSE_WAIT, LAST_ACK, CLOSING and TIME_WAIT: states that only a FIN from the peer leads to. */
const STATES_AFTER_FIN: ReadonlySet<number> = new Set([TCP_CLOSE_WAIT, 9, 11, 6]);
/** Heard from this recently, a path has not been forgotten: no NAT forgets in under a second. */
const RECENT_MS = 1000;
/** Above this a reset that nothing else explains is the network's doing. */
const MOST_CERTAIN = 0.95;

/** Judges a death. Pure: the same facts give the same verdict. */
export function classify(facts: DeathFacts): Verdict {
  const bytes = countBytes(facts);
  const found = judge(facts, bytes);
  return {
    cause: found.cause,
    confidence: found.confidence,
    code: facts.error?.code,
    silence: facts.silence,
    delivery: deliveryOf(facts, bytes),
    bytes,
    evidence: found.evidence,
    tcpInfo: facts.tcpInfo,
    target: facts.target,
    at: facts.at,
  };
}

interface Finding {
  readonly cause: Cause;
  readonly confidence: number;
  readonly evidence: readonly Evidence[];
}

function judge(facts: DeathFacts, bytes: ByteCounts): Finding {
  const code = facts.error?.code;
  const certain = (cause: Cause, fact: string, detail: string, confidence = 0.99): Finding => ({
    cause,
    confidence,
    evidence: [{ fact, weight: 0, detail }, ...facts.evidence],
  });
  if (!facts.connected) return judgeConnect(code, certain);
  if (code === 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT') {
    return certain('path-timeout', 'heartbeat-unanswered', 'no byte came back after a heartbeat', 0.9);
  }
  if (facts.probe === 'silent') {
    return certain('path-timeout', 'probe-unanswered', 'the peer gave no answer to a keepalive probe', 0.9);
  }
  const closed = facts.tcpInfo === undefined || facts.tcpInfo.state === TCP_CLOSE;
  if (code === 'ETIMEDOUT' && closed) return judgeTimeout(facts, certain);
  if (facts.end === 'local-first') {
    return certain('local-close', 'ended-here', 'this process ended the connection and the peer agreed');
  }
  const { state } = facts.tcpInfo ?? {};
  if (facts.end === 'peer-first' || (state !== undefined && STATES_AFTER_FIN.has(state))) {
    return certain('peer-closed', 'fin', 'the peer ended the connection with a FIN');
  }
  if (code !== undefined && RESET_CODES.has(code) && closed) return weighReset(facts, bytes);
  if (code !== undefined && (UNREACHABLE.has(code) || code === 'ECONNREFUSED')) {
    return certain('unreachable', 'network-said-so', `the network reported ${code}`);
  }
  if (facts.isCutOff) return judgeCutOff(facts, bytes, certain);
  if (facts.error === undefined)
    return certain('local-close', 'closed-here', 'this process closed the socket');
  if (facts.tcpInfo !== undefined && !closed) {
    return certain('local-close', 'destroyed-with-error', 'the connection still stood when it was destroyed');
  }
  return certain('unknown', 'unexplained', `the socket ended with ${code ?? 'an error without a code'}`, 0.5);
}

type Certain = (cause: Cause, fact: string, detail: string, confidence?: number) => Finding;

function judgeConnect(code: string | undefined, certain: Certain): Finding {
  if (code === undefined) return certain('local-close', 'closed-here', 'closed before it connected');
  if (code === 'ECONNREFUSED') return certain('refused', 'connect-refused', 'nobody listens at the address');
  if (UNREACHABLE.has(code))
    return certain('unreachable', 'connect-failed', `connecting failed with ${code}`);
  if (isLocal(code)) return certain('local-close', 'closed-here', `closed with ${code} before it connected`);
  if (TIMEOUTS.has(code)) return certain('path-timeout', 'connect-unanswered', 'connecting was not answered');
  if (RESET_CODES.has(code))
    return certain('peer-reset', 'connect-reset', 'the connection was reset while connecting');
  return certain('unknown', 'connect-failed', `connecting failed with ${code}`, 0.5);
}

/** Codes of Node and of this library, which no network sends. */
function isLocal(code: string): boolean {
  return code === 'ABORT_ERR' || (code.startsWith('ERR_') && !TIMEOUTS.has(code));
}

/** Nobody said what ended the connection, as when a socket is destroyed after the kernel gave it up. */
function judgeCutOff(facts: DeathFacts, bytes: ByteCounts, certain: Certain): Finding {
  const { retransmits = 0, probes = 0 } = facts.tcpInfo ?? {};
  return retransmits > 0 || probes > 1
    ? certain('path-timeout', 'unanswered', 'the kernel had asked in vain before it gave up', 0.6)
    : weighReset(facts, bytes);
}

function judgeTimeout(facts: DeathFacts, certain: Certain): Finding {
  const info = facts.tcpInfo;
  const limit = facts.userTimeout === false ? 10 * RECENT_MS : facts.userTimeout;
  if (info !== undefined && info.lastAckRecv < limit / 2 && (info.notsent ?? 0) > 0) {
    const detail = `the peer acknowledged ${info.lastAckRecv} ms ago and accepts no data`;
    return certain('peer-stalled', 'zero-window', detail, 0.9);
  }
  const heard = facts.silence === undefined ? '' : `; last heard ${Math.round(facts.silence)} ms ago`;
  return certain('path-timeout', 'unanswered', `the kernel gave up waiting for an answer${heard}`, 0.9);
}

/**
 * A reset: the network's or the peer's? A NAT that forgot the flow and a peer that rebooted look alike from one
 * socket, so the answer is a weighing, and one socket alone is never fully certain.
 */
function weighReset(facts: DeathFacts, bytes: ByteCounts): Finding {
  const evidence = [...silenceEvidence(facts), ...promptEvidence(facts, bytes), ...facts.evidence];
  const score = evidence.reduce((sum, { weight }) => sum + weight, 0);
  const probability = Math.min(MOST_CERTAIN, Math.max(1 - MOST_CERTAIN, 1 / (1 + Math.exp(-score * 0.7))));
  return score > 0
    ? { cause: 'nat-eviction', confidence: probability, evidence }
    : { cause: 'peer-reset', confidence: 1 - probability, evidence };
}

function silenceEvidence(facts: DeathFacts): Evidence[] {
  const { silence } = facts;
  if (silence === undefined) {
    return [
      { fact: 'silence-unknown', weight: -0.5, detail: 'it is not known when the peer was last heard' },
    ];
  }
  const ms = Math.round(silence);
  if (silence < RECENT_MS) {
    return [{ fact: 'heard-recently', weight: -3, detail: `the peer was heard ${ms} ms before the reset` }];
  }
  const weight = Math.min(2.5, 0.5 + Math.log10(silence / RECENT_MS));
  const found: Evidence[] = [{ fact: 'silence', weight, detail: `a reset after ${ms} ms of silence` }];
  const near = facts.knownTimeouts.find(
    ({ idleTimeout }) => silence >= idleTimeout && silence <= idleTimeout * 1.1 + RECENT_MS,
  );
  if (near !== undefined) {
    const detail = `${near.name} forgets after ${near.idleTimeout} ms`;
    found.push({ fact: 'near-known-timeout', weight: 1, detail });
  }
  return found;
}

function promptEvidence(facts: DeathFacts, bytes: ByteCounts): Evidence[] {
  const found: Evidence[] = [];
  const info = facts.tcpInfo;
  const silence = facts.silence ?? 0;
  if (silence < RECENT_MS) return found;
  if (facts.probe === 'reset' || (info !== undefined && info.probes > 0)) {
    found.push({
      fact: 'answered-probe-with-reset',
      weight: 1,
      detail: 'a keepalive probe was answered with a reset',
    });
  } else if (info !== undefined && (bytes.unacknowledged ?? 0) > 0 && info.lastDataSent < silence / 2) {
    found.push({
      fact: 'answered-write-with-reset',
      weight: 1,
      detail: 'the first write after the silence was reset',
    });
  }
  if (bytes.unacknowledged === 0) {
    found.push({
      fact: 'nothing-outstanding',
      weight: 0.5,
      detail: 'all that was sent had been acknowledged',
    });
    if (info !== undefined && info.lastDataSent + RECENT_MS < info.lastDataRecv) {
      const detail = 'the last thing sent had not been answered';
      found.push({ fact: 'unanswered-request', weight: -0.5, detail });
    }
  }
  return found;
}

function countBytes({ tcpInfo: info, countsSyn, queued }: DeathFacts): ByteCounts {
  return {
    sent: info && sentBytes(info),
    acknowledged: info && acknowledgedBytes(info, countsSyn),
    unacknowledged: info && unacknowledgedBytes(info, countsSyn),
    unsent: info?.notsent,
    queued,
    received: info?.bytesReceived,
  };
}

function deliveryOf(facts: DeathFacts, bytes: ByteCounts): Delivery {
  if (!facts.connected) return 'never-sent';
  const unacknowledged = bytes.unacknowledged ?? (facts.handedOver === 0 ? 0 : undefined);
  // Where the kernel can't be asked, whatever was handed to it is of unknown fate.
  if (unacknowledged === undefined || unacknowledged > 0) return 'uncertain';
  return facts.queued > 0 || (bytes.unsent ?? 0) > 0 ? 'never-sent' : 'all-acknowledged';
}
