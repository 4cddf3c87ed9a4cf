import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Holdfast } from '../../../src/index.js';
import { recordMetrics } from '../../../src/metrics.js';
import { until } from '../../support/nat.js';
import { documentedInstruments, documentedQueries, withWindow } from './documented-queries.js';
import { NetworkEvents, type Happenings } from './network-events.js';
import { requirePrometheus, startPrometheus, type Answer, type Prometheus } from './prometheus.js';

/** Every series is in Prometheus with the first round; the second only adds to them. */
const FIRST: Happenings = {
  probedAlive: 3,
  probedDead: 2,
  evicted: 1,
  refused: 2,
  reconnected: 1,
  reconnectedLate: 1,
};
const SECOND: Happenings = {
  probedAlive: 2,
  probedDead: 3,
  evicted: 2,
  refused: 1,
  reconnected: 3,
  reconnectedLate: 1,
};

/** `increase` extrapolates by up to one scrape's distance at each end of the window. */
const SCRAPES = 25;
const EXTRAPOLATION = 0.1;

type Check = (answer: readonly Answer[], seen: Seen) => void;

interface Seen {
  readonly events: NetworkEvents;
  /** Of the happenings asked about; exact where `isExact`, otherwise as `increase` extrapolates. */
  readonly times: Happenings;
  readonly isExact: boolean;
  /** Milliseconds, as events told them. */
  readonly roundTrips: { readonly probe: readonly number[]; readonly heartbeat: readonly number[] };
  /** Of the outages among the happenings. */
  readonly downtimes: readonly number[];
}

const checks: Readonly<Record<string, Check>> = {
  'Guarded sockets by target': (answer, { events }) => {
    const guarded = answer.filter(({ value }) => value !== 0);
    const labels = { server_address: '127.0.0.1', server_port: String(events.guardedPort) };
    expect(guarded).to.deep.equal([{ labels, value: 1 }]);
  },
  'Share of probes that found a dead path (no result while there was none)': (answer, seen) => {
    const { probedAlive, probedDead } = seen.times;
    expectOne(answer, {}, probedDead / (probedAlive + probedDead), seen);
  },
  'Probe round trip in seconds, 99th percentile, by target': (answer, { roundTrips }) =>
    expectWithin(answer, roundTrips.probe),
  'Heartbeat round trip in seconds, median, by target': (answer, { roundTrips }) =>
    expectWithin(answer, roundTrips.heartbeat),
  'Evictions an hour, by cause and by what became of the bytes': (answer, seen) => {
    const labels = { holdfast_cause: 'path-timeout', holdfast_delivery: 'all-acknowledged' };
    expectOne(answer, labels, seen.times.evicted, seen);
  },
  'Failures an hour that were safe to do again, by target and cause': (answer, seen) => {
    const labels = { server_address: '127.0.0.1', holdfast_cause: 'refused' };
    expectOne(answer, labels, seen.times.refused, seen);
  },
  'Reconnects an hour, by what the connection died of': (answer, seen) => {
    const { reconnected, reconnectedLate } = seen.times;
    expectOne(answer, { holdfast_cause: 'peer-reset' }, reconnected + reconnectedLate, seen);
  },
  'Share of outages that were over in a second': (answer, seen) => {
    // On a busy machine one that was to be short may not be.
    const short = seen.downtimes.filter(downtime => downtime <= 1000);
    expectOne(answer, {}, short.length / seen.downtimes.length, seen);
  },
};

function expectOne(
  answer: readonly Answer[],
  labels: Answer['labels'],
  value: number,
  { isExact }: Seen,
): void {
  expect(answer.map(line => line.labels)).to.deep.equal([labels]);
  expect(answer[0]?.value).to.be.closeTo(value, isExact ? 1e-9 : value * EXTRAPOLATION);
}

/** A quantile is somewhere in its bucket: one ends at half a millisecond, the others at 2 to 2.5 times where they begin. */
function expectWithin(answer: readonly Answer[], roundTrips: readonly number[]): void {
  expect(answer.map(({ labels }) => labels)).to.deep.equal([{ server_address: '127.0.0.1' }]);
  const [least, most] = [Math.min(...roundTrips) / 1000, Math.max(...roundTrips) / 1000];
  expect(answer[0]?.value).to.be.above(least > 0.0005 ? least / 2.5 : 0);
  expect(answer[0]?.value).to.be.at.most(Math.max(0.0005, most * 2.5));
}

describe('the queries of docs/metrics.md', () => {
  it('ask for every instrument', () => {
    const asked = documentedQueries()
      .map(({ promql }) => promql)
      .join('\n');
    const instruments = documentedInstruments();
    expect(instruments).to.have.length(8);
    for (const name of instruments) {
      expect(asked).to.match(new RegExp(`\\b${name.replaceAll('.', '_')}(_total|_bucket|_count)?\\b`));
    }
  });

  it('are those that are checked here', () => {
    expect(documentedQueries().map(({ title }) => title)).to.have.members(Object.keys(checks));
  });
});

describe('the queries of docs/metrics.md, on a Prometheus', function () {
  this.timeout(60_000);
  const holdfast = new Holdfast();
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  let stopRecording: (() => void) | undefined;
  let scraped: Server | undefined;
  let prometheus: Prometheus | undefined;
  let events: NetworkEvents | undefined;
  /** Between the rounds, and after both. Milliseconds since 1970. */
  let [between, end] = [0, 0];
  const roundTrips = { probe: [] as number[], heartbeat: [] as number[] };
  const downtimes = { first: [] as number[], second: [] as number[] };

  before(requirePrometheus);
  before(async () => {
    holdfast.on('probed', ({ rtt }) => rtt !== undefined && roundTrips.probe.push(rtt));
    holdfast.on('heartbeat', ({ rtt }) => roundTrips.heartbeat.push(rtt));
    holdfast.on('resumed', ({ downtime }) =>
      (between === 0 ? downtimes.first : downtimes.second).push(downtime),
    );
    stopRecording = recordMetrics(holdfast, { meter: provider.getMeter('test') });
    scraped = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
    scraped.listen(0, '127.0.0.1');
    await once(scraped, 'listening');
    prometheus = await startPrometheus((scraped.address() as AddressInfo).port);
    events = await NetworkEvents.prepare(holdfast);
    await events.happen(FIRST);
    between = await scrapedSince(Date.now());
    // One more: the window that starts there must know where the series stood.
    await scrapedSince(between + 1);
    await events.happen(SECOND);
    const after = await scrapedSince(Date.now());
    await until(`${SCRAPES} scrapes`, async () => (await scrapesSince(between)) >= SCRAPES);
    end = await scrapedSince(after);
    // The scrapes are over: what is asked now is asked of that moment.
    await closeServer(scraped);
  });
  after(async () => {
    await events?.close();
    stopRecording?.();
    await prometheus?.stop();
    await closeServer(scraped);
    await provider.shutdown();
  });

  async function ask(promql: string, at?: number): Promise<readonly Answer[]> {
    if (prometheus === undefined) throw new Error('Prometheus does not run');
    return prometheus.query(promql, at);
  }

  /** Waits for a scrape that began at that moment or later, and says when it did. */
  async function scrapedSince(moment: number): Promise<number> {
    let latest = 0;
    await until('a scrape', async () => {
      const [answer] = await ask('max(timestamp(holdfast_sockets))');
      latest = Math.round((answer?.value ?? 0) * 1000);
      return latest >= moment;
    });
    return latest;
  }

  async function scrapesSince(moment: number): Promise<number> {
    const now = Date.now();
    const [answer] = await ask(`max(count_over_time(holdfast_sockets[${now - moment}ms]))`, now);
    return answer?.value ?? 0;
  }

  function seenInBoth(): Seen {
    if (events === undefined) throw new Error('nothing happened');
    const both = [...downtimes.first, ...downtimes.second];
    return { events, times: plus(FIRST, SECOND), isExact: true, roundTrips, downtimes: both };
  }

  function seenInSecond(): Seen {
    return { ...seenInBoth(), times: SECOND, isExact: false, downtimes: downtimes.second };
  }

  for (const { title, promql } of documentedQueries()) {
    it(`answer "${title}"`, async () => {
      checks[title]?.(await ask(promql, end), seenInBoth());
    });

    it(`answer "${title}" where the series are older than the window`, async () => {
      checks[title]?.(await ask(withWindow(promql, end - between), end), seenInSecond());
    });
  }
});

function plus(one: Happenings, other: Happenings): Happenings {
  return {
    probedAlive: one.probedAlive + other.probedAlive,
    probedDead: one.probedDead + other.probedDead,
    evicted: one.evicted + other.evicted,
    refused: one.refused + other.refused,
    reconnected: one.reconnected + other.reconnected,
    reconnectedLate: one.reconnectedLate + other.reconnectedLate,
  };
}

async function closeServer(server: Server | undefined): Promise<void> {
  if (server?.listening !== true) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
