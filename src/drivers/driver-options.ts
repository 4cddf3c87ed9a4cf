import { HoldfastError } from '../errors.js';
import type { Holdfast } from '../holdfast.js';
import { findPreset } from '../options/presets.js';
import { withOptions } from '../options/resolve.js';
import type { Duration, HoldfastOptions } from '../options/types.js';
import { sharedInstance } from '../shared.js';
import type { BeatTimes } from './idle-beat.js';

/** When a driver's client is asked whether it is still there, by a request of its own protocol. */
export interface DriverHeartbeat {
  /**
   * Idle time after which a beat is sent. Default: the preset's where only payload counts, else `keepalive.idle`.
   * Keep it below the server's own idle limit only if you mean to defeat that limit: a beat counts as use.
   */
  readonly interval?: Duration | undefined;
  /** Time the server has to answer with any byte. Default: the interval, at most 10 s. */
  readonly timeout?: Duration | undefined;
}

/** What a driver wrapper takes: the options of a socket, and what concerns the driver. */
export interface DriverOptions extends Omit<
  HoldfastOptions,
  'heartbeat' | 'reconnect' | 'resume' | 'maxPendingBytes' | 'targets'
> {
  /** Default: on. `false` sends no beats. */
  readonly heartbeat?: DriverHeartbeat | false | undefined;
  /**
   * How often one request may be sent again where the first attempt provably never left this host, 0 to 100. Default:
   * as often as the pool has connections, so that even a pool of dead ones serves it.
   */
  readonly retries?: number | undefined;
  /** The instance whose options and events are used. Default: the one that reads the environment. */
  readonly holdfast?: Holdfast | undefined;
}

/** {@link DriverOptions} after validation. */
export interface DriverSettings {
  readonly holdfast: Holdfast;
  /** For `holdfast.harden`. */
  readonly socket: HoldfastOptions;
  /** Silence after which a pooled connection is probed before it is handed out; false: never. */
  readonly probeAfterIdle: number | false;
  /** undefined: no beats. */
  readonly beat: BeatTimes | undefined;
  readonly retries: number | undefined;
}

const MOST_RETRIES = 100;
/** The gate asks no earlier. */
const SHORTEST_GATE_MS = 1000;

/** @throws HoldfastError ERR_HOLDFAST_OPTIONS, ERR_HOLDFAST_ARGUMENT */
export function resolveDriverOptions(options: DriverOptions = {}): DriverSettings {
  const { heartbeat, retries, holdfast = sharedInstance(), ...own } = options;
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0 && retries <= MOST_RETRIES)) {
    const message = `retries must be a whole number from 0 to ${MOST_RETRIES}, and is ${String(retries)}`;
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
  }
  const base = withOptions(holdfast.options, own);
  const beat = heartbeat === false ? undefined : beatTimes(holdfast, own, heartbeat);
  const probeAfterIdle = gateAfter(base.probeAfterIdle, beat);
  return { holdfast, socket: { ...own, probeAfterIdle }, probeAfterIdle, beat, retries };
}

/** Goes through the option table, so that a beat's times are read and refused like all others. */
function beatTimes(
  { options }: Holdfast,
  own: HoldfastOptions,
  heartbeat: DriverHeartbeat | undefined,
): BeatTimes {
  const base = withOptions(options, own);
  const ofPreset = base.preset === undefined ? undefined : findPreset(base.preset);
  const interval = heartbeat?.interval ?? ofPreset?.settings.heartbeatInterval ?? base.keepalive.idle;
  const asked = { ...heartbeat, interval, send: () => undefined };
  const resolved = withOptions(options, { ...own, heartbeat: asked }).heartbeat;
  if (resolved === undefined) throw new Error('holdfast: a heartbeat that was asked for is missing');
  return { interval: resolved.interval, timeout: resolved.timeout };
}

/**
 * A beat is a write after silence. The gate must see to it too, or a beat into a dead path would be of unknown fate.
 * Half the interval, because the server may have been heard later than the client was used.
 */
function gateAfter(probeAfterIdle: number | false, beat: BeatTimes | undefined): number | false {
  if (probeAfterIdle === false || beat === undefined) return probeAfterIdle;
  return Math.min(probeAfterIdle, Math.max(SHORTEST_GATE_MS, Math.floor(beat.interval / 2)));
}
