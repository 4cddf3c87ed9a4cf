import type { Holdfast } from '../../holdfast.js';
import type { Kernel } from '../../kernel/kernel.js';
import { dial, type DialOptions } from '../dial.js';
import { pause } from '../pause.js';
import { IdleSocket, type IdleEnd } from './idle-socket.js';
import type { Fate, Trial } from './plan.js';

/** One trial as it is reported. Milliseconds. */
export interface TrialReport extends Trial {
  /** The silence that was wanted. */
  readonly asked: number;
  /** To the answer of the probe; undefined where there was none. */
  readonly roundTrip: number | undefined;
  /** Why it failed, for a person; undefined unless `fate` is `failed`. */
  readonly reason: string | undefined;
}

export interface TrialPort {
  readonly holdfast: Holdfast;
  readonly kernel: Kernel;
  readonly dial: Omit<DialOptions, 'signal'>;
}

/** Closed sooner than this after connecting, a connection was turned away, not found idle. */
const TURNED_AWAY_MS = 500;
/** A lost packet must not look like a lost flow: the probe repeats itself three times within this. */
const PROBE_TIMEOUT_MS = 1500;
/** A late greeting is one; a server that goes on talking is never silent for that long. */
const MOST_INTERRUPTIONS = 1;

/**
 * Connects, stays silent for `asked` ms, then has the kernel ask whether the flow still exists.
 * @returns undefined when `signal` ended it
 */
export async function runTrial(
  asked: number,
  port: TrialPort,
  signal: AbortSignal,
): Promise<TrialReport | undefined> {
  const report = (fate: Fate, silence: number, extra: Partial<TrialReport> = {}): TrialReport => ({
    asked,
    silence,
    fate,
    roundTrip: undefined,
    reason: undefined,
    ...extra,
  });
  const idle = await connectIdle(port, signal);
  if (signal.aborted) {
    if (!(idle instanceof Error)) hangUp(idle);
    return undefined;
  }
  if (idle instanceof Error) return report('failed', 0, { reason: idle.message });
  try {
    const waited = await staySilent(idle, asked, signal);
    if (waited === 'stopped') return undefined;
    if (idle.end !== undefined) return fateOfEnd(idle.end, report);
    if (waited === 'disturbed') {
      return report('failed', idle.silence, { reason: 'the server does not fall silent' });
    }
    const { silence } = idle;
    const { alive, rtt, verdict } = await port.holdfast.probe(idle.socket, { timeout: PROBE_TIMEOUT_MS });
    if (alive) return report('survived', silence, { roundTrip: rtt });
    if (verdict?.code === 'ECONNRESET') return report('reset', silence);
    if (verdict?.code === 'ETIMEDOUT') return report('silent', silence);
    return report('failed', silence, { reason: 'the connection ended while it was asked' });
  } catch (error) {
    return report('failed', idle.silence, { reason: error instanceof Error ? error.message : String(error) });
  } finally {
    hangUp(idle);
  }
}

async function connectIdle(port: TrialPort, signal: AbortSignal): Promise<IdleSocket | Error> {
  try {
    return new IdleSocket(await dial({ ...port.dial, signal }), port.kernel);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function staySilent(
  idle: IdleSocket,
  asked: number,
  signal: AbortSignal,
): Promise<'silent' | 'ended' | 'disturbed' | 'stopped'> {
  for (let interruptions = 0; interruptions <= MOST_INTERRUPTIONS; interruptions++) {
    const left = asked - idle.silence;
    if (left <= 0) return 'silent';
    await waitUnlessEnded(idle, left, signal);
    if (signal.aborted) return 'stopped';
    if (idle.end !== undefined) return 'ended';
    // Timers and the kernel's stamps differ by a few milliseconds; that is no interruption.
    if (asked - idle.silence < 50) interruptions--;
  }
  return 'disturbed';
}

async function waitUnlessEnded({ ended }: IdleSocket, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  await Promise.race([pause(ms, AbortSignal.any([signal, over.signal])), ended]);
  // A timer left behind would hold the process open.
  over.abort();
}

function fateOfEnd(
  { how, silence, code }: IdleEnd,
  report: (fate: Fate, silence: number, extra?: Partial<TrialReport>) => TrialReport,
): TrialReport {
  if (how === 'error')
    return report('failed', silence, { reason: `the connection ended with ${code ?? 'an error'}` });
  if (silence < TURNED_AWAY_MS) {
    return report('failed', silence, { reason: 'the server ended the connection at once' });
  }
  return report(how, silence);
}

function hangUp({ socket }: IdleSocket): void {
  socket.destroy();
}
