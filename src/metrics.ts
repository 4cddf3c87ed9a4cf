import type { Meter } from '@opentelemetry/api';
import { HoldfastError } from './errors.js';
import type { HoldfastEvents } from './events/events.js';
import { Holdfast } from './holdfast.js';
import { createInstruments } from './metrics/instruments.js';
import { applicationMeter } from './metrics/meter.js';
import { SocketCount } from './metrics/socket-count.js';
import { TargetAttributes } from './metrics/target-attributes.js';
import { sharedInstance } from './shared.js';

export interface MetricsOptions {
  /** Where the instruments are made; default: `metrics.getMeter('holdfast')` of `@opentelemetry/api`. */
  readonly meter?: Meter | undefined;
}

/**
 * Records what happens to an instance's sockets as OpenTelemetry metrics, from now on: see docs/metrics.md for the
 * instruments and their attributes. Call it once an instance, after the OpenTelemetry SDK was started: a meter taken
 * before that records nothing. Costs nothing on sockets, only on events.
 *
 * @param holdfast default: the instance behind the package's functions and `holdfast/register`
 * @returns stops it and removes all its listeners; idempotent
 * @throws HoldfastError ERR_HOLDFAST_UNSUPPORTED when no meter is given and the optional peer `@opentelemetry/api` is
 *   not installed, ERR_HOLDFAST_ARGUMENT when not a Holdfast; for the shared instance ERR_HOLDFAST_OPTIONS when the
 *   environment's options are wrong
 * @example
 * const stop = recordMetrics();
 */
export function recordMetrics(holdfast?: Holdfast, options: MetricsOptions = {}): () => void {
  if (holdfast !== undefined && !(holdfast instanceof Holdfast)) {
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', 'recordMetrics: the first argument is not a Holdfast');
  }
  const instruments = createInstruments(options.meter ?? applicationMeter());
  return record(holdfast ?? sharedInstance(), instruments);
}

function record(holdfast: Holdfast, instruments: ReturnType<typeof createInstruments>): () => void {
  const targets = new TargetAttributes();
  const sockets = new SocketCount(instruments.sockets);
  const stops: (() => void)[] = [];
  const on = <K extends keyof HoldfastEvents>(
    event: K,
    listener: (payload: HoldfastEvents[K]) => void,
  ): void => {
    holdfast.on(event, listener);
    stops.push(() => holdfast.off(event, listener));
  };

  on('hardened', ({ target }) => sockets.hardened(target, targets.of(target)));
  on('released', ({ target }) => sockets.left(target, targets.of(target)));
  on('died', ({ target, verdict: { cause, delivery } }) => {
    const attributes = targets.of(target);
    sockets.left(target, attributes);
    if (delivery !== 'never-sent' || cause === 'local-close') return;
    instruments.neverSentErrors.add(1, { ...attributes, 'holdfast.cause': cause });
  });
  on('evicted', ({ target, verdict: { cause, delivery } }) => {
    const attributes = { 'holdfast.cause': cause, 'holdfast.delivery': delivery };
    instruments.evictions.add(1, { ...targets.of(target), ...attributes });
  });
  on('probed', ({ target, alive, rtt }) => {
    const attributes = targets.of(target);
    instruments.probes.add(1, { ...attributes, 'holdfast.probe.outcome': alive ? 'alive' : 'dead' });
    if (rtt !== undefined) instruments.probeDuration.record(inSeconds(rtt), attributes);
  });
  on('heartbeat', ({ target, rtt }) =>
    instruments.heartbeatDuration.record(inSeconds(rtt), targets.of(target)),
  );
  on('resumed', ({ target, downtime, verdict: { cause } }) => {
    const attributes = { ...targets.of(target), 'holdfast.cause': cause };
    instruments.reconnects.add(1, attributes);
    instruments.downtime.record(inSeconds(downtime), attributes);
  });
  stops.push(() => sockets.stop());

  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}

function inSeconds(milliseconds: number): number {
  return milliseconds / 1000;
}
