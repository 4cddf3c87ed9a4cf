import type { SocketGuard } from '../guard/socket-guard.js';
import { silenceOf } from '../guard/path-probe.js';
import { TCP_CLOSE, unacknowledgedBytes, type TcpInfo } from '../kernel/tcp-info.js';

/** How a sweep went. Sockets that were closed meanwhile are probed, and neither alive nor dead. */
export interface SweepResult {
  readonly probed: number;
  readonly alive: number;
  readonly dead: number;
}

/** A socket to probe and for how long it had been silent. */
export interface Candidate {
  readonly guard: SocketGuard;
  readonly silence: number;
}

/**
 * Probes under way at once. Each costs a dozen system calls to start, so this bounds how long the event loop is held
 * (about 20 ms), not what the network can take: a probe is one packet of 52 bytes.
 */
const TOGETHER = 1024;

/** A socket's record, and the silence in it; undefined where it can't be read. */
export function look(guard: SocketGuard): Seen | undefined {
  const info = guard.tcpInfo;
  return info === undefined ? undefined : { guard, info, silence: silenceOf(info) };
}

interface Seen extends Candidate {
  readonly info: TcpInfo;
}

/** Whether a probe could tell anything: data in flight is watched over by TCP_USER_TIMEOUT, and no keepalive is sent. */
export function isProbeable({ guard, info, silence }: Seen, least: number): boolean {
  if (info.state === TCP_CLOSE) return true;
  const inFlight = (unacknowledgedBytes(info, guard.countsSyn) ?? 0) + (info.notsent ?? 0);
  return silence >= least && inFlight === 0;
}

/**
 * Probes the sockets together, the longest silent first, and destroys those that don't answer.
 *
 * @param settled called for each answer, before a dead socket is destroyed
 */
export function probeTogether<C extends Candidate>(
  candidates: readonly C[],
  timeout: number | undefined,
  settled: (candidate: C, isAlive: boolean) => void,
): Promise<SweepResult> {
  const waiting = [...candidates].sort((a, b) => a.silence - b.silence);
  const counts = { probed: 0, alive: 0, dead: 0 };
  let underWay = 0;
  return new Promise(resolve => {
    const next = (): void => {
      while (underWay < TOGETHER) {
        const candidate = waiting.pop();
        if (candidate === undefined) break;
        start(candidate);
      }
      if (underWay === 0) resolve(counts);
    };
    const start = (candidate: C): void => {
      const { guard } = candidate;
      const asked = guard.ask(timeout, outcome => {
        underWay--;
        if (outcome.outcome !== 'abandoned') {
          const isAlive = outcome.outcome === 'alive';
          counts[isAlive ? 'alive' : 'dead']++;
          settled(candidate, isAlive);
          if (!isAlive) guard.condemn(outcome);
        }
        next();
      });
      if (!asked) return;
      counts.probed++;
      underWay++;
    };
    next();
  });
}
