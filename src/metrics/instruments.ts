import type { Counter, Histogram, Meter, UpDownCounter } from '@opentelemetry/api';

/** What holdfast measures; docs/metrics.md says more of each. */
export interface Instruments {
  readonly sockets: UpDownCounter;
  readonly probes: Counter;
  readonly probeDuration: Histogram;
  readonly heartbeatDuration: Histogram;
  readonly evictions: Counter;
  readonly neverSentErrors: Counter;
  readonly reconnects: Counter;
  readonly downtime: Histogram;
}

/** Seconds. From a loopback's round trip to the longest a probe waits. */
const ROUND_TRIP_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Seconds. From one redial to an outage somebody was called for. */
const DOWNTIME_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

export function createInstruments(meter: Meter): Instruments {
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]): Histogram =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries } });
  return {
    sockets: meter.createUpDownCounter('holdfast.sockets', {
      description: 'Connected sockets that are guarded now.',
      unit: '{socket}',
    }),
    probes: meter.createCounter('holdfast.probes', {
      description: 'Probes answered or given up.',
      unit: '{probe}',
    }),
    probeDuration: seconds(
      'holdfast.probe.duration',
      'Round trips of the probes that found the path alive.',
      ROUND_TRIP_BUCKETS,
    ),
    heartbeatDuration: seconds(
      'holdfast.heartbeat.duration',
      'Round trips of the heartbeats that were answered.',
      ROUND_TRIP_BUCKETS,
    ),
    evictions: meter.createCounter('holdfast.evictions', {
      description: 'Sockets that ended because the network forgot their flow or swallows its packets.',
      unit: '{eviction}',
    }),
    neverSentErrors: meter.createCounter('holdfast.never_sent.errors', {
      description: 'Sockets that failed before anything outstanding left this host.',
      unit: '{error}',
    }),
    reconnects: meter.createCounter('holdfast.reconnects', {
      description: 'New connections of reconnecting sockets that are in use after a loss.',
      unit: '{reconnect}',
    }),
    downtime: seconds(
      'holdfast.reconnect.downtime',
      'Time reconnecting sockets spent without a connection in use.',
      DOWNTIME_BUCKETS,
    ),
  };
}
