import type { SocketGuard } from '../guard/socket-guard.js';
import type { Verdict } from '../guard/verdict.js';
import type { TcpInfo } from '../kernel/tcp-info.js';

/** Heard from this recently, a socket's path is up. */
export const RECENT_MS = 1000;

/** What one burst of deaths at one target showed, from its first verdict to the end of its sweep. */
export interface Occasion {
  /** Whether it may teach: silence is not to be trusted across a suspension. */
  readonly teaches: boolean;
  /** Silences after which flows were found forgotten, and how. */
  readonly forgotten: { readonly silence: number; readonly by: 'reset' | 'silence' }[];
  /** The longest silence a sibling is known to have survived. */
  survived: number;
  /** Siblings that answered, or had been heard within the last second. */
  lived: number;
  /** Siblings that died in use: a restart or an outage, not a timeout. */
  diedActive: number;
  /** Sockets a sweep found dead so far. */
  dead: number;
}

export function newOccasion(teaches: boolean): Occasion {
  return { teaches, forgotten: [], survived: 0, lived: 0, diedActive: 0, dead: 0 };
}

/** Adds one death. */
export function noteDeath(
  occasion: Occasion,
  verdict: Verdict,
  { options, wanted }: Pick<SocketGuard, 'options' | 'wanted'>,
): void {
  const { cause, silence } = verdict;
  if (cause === 'peer-reset' && silence !== undefined && silence < RECENT_MS) occasion.diedActive++;
  const fatal = fatalSilenceOf(verdict, options.userTimeout, wanted);
  if (fatal !== undefined) {
    occasion.forgotten.push({ silence: fatal, by: cause === 'nat-eviction' ? 'reset' : 'silence' });
  }
  const outlived = verdict.tcpInfo === undefined ? 0 : survivedByKeepalive(verdict.tcpInfo, wanted);
  occasion.survived = Math.max(occasion.survived, outlived);
}

/** Adds what one socket's probe showed. */
export function noteAnswer(
  { silence, occasion }: { readonly silence: number; readonly occasion: Occasion },
  isAlive: boolean,
): void {
  if (!isAlive) {
    occasion.dead++;
    return;
  }
  occasion.lived++;
  occasion.survived = Math.max(occasion.survived, silence);
}

/**
 * The silence after which an evicted socket's flow was already gone. That is less than the whole silence where the kernel
 * waited for an answer meanwhile: to bytes in flight, or to a keepalive, which goes out unasked after the idle time.
 */
export function fatalSilenceOf(
  { cause, silence, tcpInfo, bytes, evidence }: Verdict,
  userTimeout: number | false,
  times: { readonly idle: number; readonly interval: number },
): number | undefined {
  if (silence === undefined || silence < RECENT_MS || tcpInfo === undefined) return undefined;
  if (cause !== 'nat-eviction' && cause !== 'path-timeout') return undefined;
  // A heartbeat without an answer may be the application's fault.
  if (evidence.some(({ fact }) => fact === 'heartbeat-unanswered')) return undefined;
  const gone =
    (bytes.unacknowledged ?? 0) === 0
      ? Math.min(silence, nextKeepalive(tcpInfo, times))
      : cause === 'nat-eviction'
        ? silence
        : silence - (userTimeout === false ? Infinity : userTimeout);
  return gone < RECENT_MS ? undefined : gone;
}

/** The silence after which the kernel sends a keepalive: the first after the idle time, later ones after the longer time. */
function nextKeepalive(
  info: TcpInfo,
  { idle, interval }: { readonly idle: number; readonly interval: number },
): number {
  return answeredFor(info) >= idle ? Math.max(idle, interval) : idle;
}

/** Milliseconds between the last data and the last answer to a keepalive; about 0 where none was answered. */
function answeredFor(info: TcpInfo): number {
  return Math.min(info.lastDataSent, info.lastDataRecv) - info.lastAckRecv;
}

/**
 * The silence a socket provably survived: its last data is older than the last keepalive's answer by more than the
 * keepalive's idle time, and later keepalives come after the longer of idle time and interval. 0: nothing is proved.
 */
export function survivedByKeepalive(
  info: TcpInfo,
  { idle, interval }: { readonly idle: number; readonly interval: number },
): number {
  const answered = answeredFor(info);
  const longer = Math.max(idle, interval);
  if (answered >= idle + longer) return longer;
  return answered >= idle ? idle : 0;
}

/**
 * How much an occasion's evictions are worth. A reset is an answer, so the path was up. Silence without any sibling
 * that lived may have been an outage: it takes two such occasions, or a new connection that succeeds at once.
 */
export function weightOf({ forgotten, lived }: Occasion): number {
  return forgotten.some(({ by }) => by === 'reset') || lived > 0 ? 1 : 0.5;
}
