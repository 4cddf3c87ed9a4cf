import { metrics as api } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Holdfast, HoldfastError, type HoldfastEvents, type Target, type Verdict } from '../../src/index.js';
import { recordMetrics } from '../../src/metrics.js';
import { applicationMeter } from '../../src/metrics/meter.js';
import { sharedInstance } from '../../src/shared.js';

const EVENTS = ['hardened', 'released', 'died', 'evicted', 'probed', 'heartbeat', 'resumed'] as const;
const TARGET: Target = Object.freeze({ host: 'db.internal', address: '10.0.0.7', port: 5432 });

class Told extends Holdfast {
  tell<K extends keyof HoldfastEvents>(event: K, payload: HoldfastEvents[K]): void {
    this.announce(event, payload);
  }

  get listeners(): number {
    return EVENTS.reduce((sum, event) => sum + this.listenerCount(event), 0);
  }
}

class PullReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {
    // nothing is held
  }
  protected override async onForceFlush(): Promise<void> {
    // nothing is buffered
  }
}

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

function verdict(changes: Partial<Verdict> = {}): Verdict {
  const bytes = {
    sent: 0,
    acknowledged: 0,
    unacknowledged: 0,
    unsent: 0,
    queued: 0,
    received: 0,
  };
  return {
    cause: 'peer-reset',
    confidence: 1,
    code: 'ECONNRESET',
    silence: 0,
    delivery: 'all-acknowledged',
    bytes,
    evidence: [],
    target: TARGET,
    at: 0,
    ...changes,
  };
}

function thrown(action: () => unknown): HoldfastError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(HoldfastError);
    return error as HoldfastError;
  }
  throw new Error('it did not throw');
}

describe('recordMetrics', () => {
  let reader: PullReader;
  let provider: MeterProvider;
  let hf: Told;
  let stop: () => void;

  beforeEach(() => {
    reader = new PullReader();
    provider = new MeterProvider({ readers: [reader] });
    hf = new Told();
    stop = recordMetrics(hf, { meter: provider.getMeter('test') });
  });

  afterEach(async () => {
    stop();
    await provider.shutdown();
  });

  async function points(name: string): Promise<Point[]> {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).to.deep.equal([]);
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as Point[]);
  }

  it('names its instruments and units as OpenTelemetry does', async () => {
    hf.tell('hardened', { target: TARGET, settings: [] as never });
    hf.tell('probed', { target: TARGET, alive: true, rtt: 2 });
    hf.tell('heartbeat', { target: TARGET, rtt: 2 });
    hf.tell('evicted', { target: TARGET, verdict: verdict({ cause: 'nat-eviction' }) });
    hf.tell('died', { target: TARGET, verdict: verdict({ delivery: 'never-sent' }) });
    hf.tell('resumed', { target: TARGET, generation: 2, downtime: 40, verdict: verdict() });
    const { resourceMetrics } = await reader.collect();
    const found = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    expect(found.map(({ descriptor: { name, unit } }) => `${name} ${unit}`)).to.have.members([
      'holdfast.sockets {socket}',
      'holdfast.probes {probe}',
      'holdfast.probe.duration s',
      'holdfast.heartbeat.duration s',
      'holdfast.evictions {eviction}',
      'holdfast.never_sent.errors {error}',
      'holdfast.reconnects {reconnect}',
      'holdfast.reconnect.downtime s',
    ]);
  });

  it('keeps the first 64 targets apart and puts all later ones together', async () => {
    for (let port = 1; port <= 70; port++) {
      hf.tell('probed', { target: { host: 'h', address: undefined, port }, alive: false, rtt: undefined });
    }
    hf.tell('probed', { target: { host: 'h', address: undefined, port: 3 }, alive: false, rtt: undefined });
    const found = await points('holdfast.probes');
    expect(found).to.have.length(65);
    const value = (address: string, port?: number): unknown =>
      found.find(
        ({ attributes }) => attributes['server.address'] === address && attributes['server.port'] === port,
      )?.value;
    expect([value('h', 3), value('h', 64), value('h', 65), value('_OTHER')]).to.deep.equal([
      2,
      1,
      undefined,
      6,
    ]);
  });

  it('tells the host asked for and never the address, and neither where the target is unknown', async () => {
    hf.tell('heartbeat', { target: TARGET, rtt: 1 });
    hf.tell('heartbeat', { target: undefined, rtt: 1 });
    expect((await points('holdfast.heartbeat.duration')).map(({ attributes }) => attributes)).to.deep.equal([
      { 'server.address': 'db.internal', 'server.port': 5432 },
      {},
    ]);
  });

  it('counts a dead probe, which has no round trip', async () => {
    hf.tell('probed', { target: TARGET, alive: false, rtt: undefined });
    expect((await points('holdfast.probes'))[0]?.attributes['holdfast.probe.outcome']).to.equal('dead');
    expect(await points('holdfast.probe.duration')).to.deep.equal([]);
  });

  it('calls nothing an error that this process closed or of which something left', async () => {
    hf.tell('died', { target: TARGET, verdict: verdict({ cause: 'local-close', delivery: 'never-sent' }) });
    hf.tell('died', { target: TARGET, verdict: verdict({ delivery: 'uncertain' }) });
    hf.tell('died', { target: TARGET, verdict: verdict({ delivery: 'all-acknowledged' }) });
    expect(await points('holdfast.never_sent.errors')).to.deep.equal([]);
  });

  it('does not count down for a socket that never connected', async () => {
    hf.tell('hardened', { target: TARGET, settings: [] as never });
    hf.tell('died', { target: { ...TARGET }, verdict: verdict({ cause: 'refused' }) });
    hf.tell('died', { target: undefined, verdict: verdict({ cause: 'unreachable' }) });
    expect((await points('holdfast.sockets')).map(({ value }) => value)).to.deep.equal([1]);
  });

  it('removes its listeners when stopped, only its own, and can be stopped twice', async () => {
    let mine = 0;
    hf.on('heartbeat', () => mine++);
    hf.tell('hardened', { target: TARGET, settings: [] as never });
    expect(hf.listeners).to.equal(EVENTS.length + 1);
    stop();
    stop();
    expect(hf.listeners).to.equal(1);
    hf.tell('heartbeat', { target: TARGET, rtt: 1 });
    expect(mine).to.equal(1);
    expect(await points('holdfast.heartbeat.duration')).to.deep.equal([]);
    expect((await points('holdfast.sockets')).map(({ value }) => value)).to.deep.equal([0]);
  });

  it('records two instances apart', async () => {
    const other = new Told();
    const stopOther = recordMetrics(other, { meter: provider.getMeter('other') });
    other.tell('heartbeat', { target: TARGET, rtt: 1 });
    stopOther();
    hf.tell('heartbeat', { target: TARGET, rtt: 1 });
    expect(await points('holdfast.heartbeat.duration')).to.have.length(2);
  });

  it('takes the shared instance and the application’s meter by default', () => {
    api.setGlobalMeterProvider(provider);
    const count = (): number => sharedInstance().listenerCount('probed');
    const before = count();
    const stopShared = recordMetrics();
    expect(count()).to.equal(before + 1);
    stopShared();
    expect(count()).to.equal(before);
    api.disable();
  });

  it('refuses what is not a Holdfast', () => {
    const given = { meter: provider.getMeter('test') } as unknown as Holdfast;
    expect(thrown(() => recordMetrics(given)).code).to.equal('ERR_HOLDFAST_ARGUMENT');
  });

  it('says in one line what to install where the peer is missing', () => {
    const empty = mkdtempSync(join(tmpdir(), 'holdfast-metrics-'));
    const error = thrown(() => applicationMeter(pathToFileURL(join(empty, 'app.js'))));
    rmdirSync(empty);
    expect(error.code).to.equal('ERR_HOLDFAST_UNSUPPORTED');
    expect(error.message).to.include('@opentelemetry/api').and.not.include('\n');
    expect((error.cause as { code?: string }).code).to.equal('MODULE_NOT_FOUND');
  });
});
