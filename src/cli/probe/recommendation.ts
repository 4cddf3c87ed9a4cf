import { formatDuration } from '../../options/durations.js';
import { optionTable } from '../../options/table.js';
import type { Conclusion } from './finding.js';
import { shortDuration } from './words.js';

/** Settings that outlive what was found, and why. Milliseconds. */
export interface Recommendation {
  readonly settings:
    | {
        readonly idle: number;
        readonly interval: number;
        readonly count: number;
        /** Only where the default would come too late. */
        readonly probeAfterIdle: number | undefined;
      }
    | undefined;
  /** Send payload at least this often; only where keepalive does not help. */
  readonly heartbeatInterval: number | undefined;
  readonly notes: readonly string[];
}

const SECOND = 1000;
/** Whatever the path allows, a dead peer should be noticed within minutes. */
const LONGEST_IDLE_MS = 120 * SECOND;
const LONGEST_INTERVAL_MS = 10 * SECOND;
const COUNT = 3;
const DEFAULT_GATE_MS = 10 * SECOND;
/** The defaults (30 s, then twice 10 s) are in time for anything that lasts this long. */
const DEFAULTS_SUIT_FROM_MS = 60 * SECOND;

export function recommend({ finding }: Conclusion): Recommendation {
  switch (finding.kind) {
    case 'remembers': {
      const { survived } = finding;
      const notes = [`nothing was lost up to ${shortDuration(survived)}; a longer limit may exist (--max)`];
      if (survived >= DEFAULTS_SUIT_FROM_MS)
        return withSettings(undefined, [...notes, "holdfast's defaults suit"]);
      return withSettings(survived, notes);
    }
    case 'forgets': {
      if (finding.keepaliveHelps === false) {
        return heartbeat(
          finding.low,
          'keepalive did not keep the control connection: what ends it counts payload only',
        );
      }
      const kept =
        finding.keepaliveHelps === true ? ['a control connection with keepalive outlived the limit'] : [];
      const like =
        finding.presets.length > 0 ? [`known for about this limit: ${finding.presets.join(', ')}`] : [];
      return withSettings(finding.low, [...kept, ...like]);
    }
    case 'server-closes':
      return heartbeat(
        finding.after,
        'the server (or a proxy before it) ends idle connections; keepalive does not count',
      );
    case 'resets':
      return withSettings(finding.after, [
        'who resets idle connections could not be told; if it is the server, keepalive does not help',
      ]);
    case 'unclear':
      return { settings: undefined, heartbeatInterval: undefined, notes: [] };
  }
}

/** The lines to put into the environment. */
export function environmentLines({ settings }: Recommendation): string[] {
  if (settings === undefined) return [];
  const { idle, interval, count, probeAfterIdle } = settings;
  const line = (
    key: 'keepalive.idle' | 'keepalive.interval' | 'keepalive.count' | 'probeAfterIdle',
    value: string,
  ) => `${optionTable[key].env ?? key}=${value}`;
  return [
    line('keepalive.idle', formatDuration(idle)),
    line('keepalive.interval', formatDuration(interval)),
    line('keepalive.count', String(count)),
    ...(probeAfterIdle === undefined ? [] : [line('probeAfterIdle', formatDuration(probeAfterIdle))]),
  ];
}

/**
 * The first keepalive after a third of the limit, so that it may be lost and repeated twice in time.
 * @param limit a silence that is survived; undefined for the defaults
 */
function withSettings(limit: number | undefined, notes: readonly string[]): Recommendation {
  if (limit === undefined) return { settings: undefined, heartbeatInterval: undefined, notes };
  const idle = Math.min(LONGEST_IDLE_MS, wholeSeconds(limit / 3));
  const interval = Math.min(LONGEST_INTERVAL_MS, wholeSeconds((limit - idle) / COUNT));
  const probeAfterIdle = limit < 2 * DEFAULT_GATE_MS ? wholeSeconds(limit / 2) : undefined;
  const tooShort =
    limit < 2 * SECOND
      ? ['keepalive starts after one second at the soonest, which is hardly in time here']
      : [];
  return {
    settings: { idle, interval, count: COUNT, probeAfterIdle },
    heartbeatInterval: undefined,
    notes: [...notes, ...tooShort],
  };
}

function heartbeat(limit: number, why: string): Recommendation {
  const interval = Math.min(LONGEST_IDLE_MS, Math.max(100, Math.round(limit / 200) * 100));
  return {
    settings: undefined,
    heartbeatInterval: interval,
    notes: [
      why,
      `send payload at least every ${formatDuration(interval)} (the heartbeat option), or have the pool close what is idle that long`,
    ],
  };
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.floor(ms / SECOND)) * SECOND;
}
