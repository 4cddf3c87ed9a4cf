import type { DeathFacts } from '../../../src/guard/classify.js';
import { decodeTcpInfo, type TcpInfo } from '../../../src/kernel/tcp-info.js';

export function tcpInfo(fields: Partial<TcpInfo> = {}): TcpInfo {
  const blank = decodeTcpInfo(Buffer.alloc(512), 232);
  if (blank === undefined) throw new Error('a full TCP_INFO did not decode');
  return { ...blank, state: 7, bytesSent: 100, bytesAcked: 101, lastDataSent: 60_000, ...fields };
}

/** A connection reset after a minute of silence with nothing outstanding. */
export function facts(changes: Partial<DeathFacts> = {}): DeathFacts {
  return {
    error: { code: 'ECONNRESET' },
    connected: true,
    tcpInfo: tcpInfo(),
    countsSyn: true,
    silence: 60_000,
    queued: 0,
    handedOver: 100,
    probe: undefined,
    end: 'none',
    isCutOff: true,
    userTimeout: 60_000,
    knownTimeouts: [],
    evidence: [],
    target: undefined,
    at: 1,
    ...changes,
  };
}
