import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { Holdfast } from '../../../src/index.js';
import { recordMetrics } from '../../../src/metrics.js';
import { connectPair, listen } from '../../support/pair.js';
import { CERTIFICATE } from '../reconnect/support/certificates.js';

type Point = DataPoint<unknown>;

function histogram(point: Point | undefined): Histogram {
  return point?.value as Histogram;
}

/** Whatever error comes before it. */
async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined); // the death that is counted
  await new Promise(resolve => socket.once('close', resolve));
}

describe('the metrics of real sockets', () => {
  let exporter: InMemoryMetricExporter;
  let provider: MeterProvider;
  let hf: Holdfast;
  let stop: () => void;

  beforeEach(() => {
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    // It exports when flushed: the interval is longer than any test.
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 });
    provider = new MeterProvider({ readers: [reader] });
    hf = new Holdfast();
    stop = recordMetrics(hf, { meter: provider.getMeter('test') });
  });

  afterEach(async () => {
    stop();
    await provider.shutdown();
  });

  async function exported(name: string): Promise<Point[]> {
    exporter.reset();
    await provider.forceFlush();
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as Point[]);
  }

  it('count a hardened socket until a reset ends it', async () => {
    const pair = await connectPair();
    const port = pair.client.remotePort;
    hf.harden(pair.client);
    const attributes = { 'server.address': '127.0.0.1', 'server.port': port };
    const [guarded] = await exported('holdfast.sockets');
    expect(guarded).to.deep.include({ attributes, value: 1 });
    pair.peer.resetAndDestroy();
    await closed(pair.client);
    const [gone] = await exported('holdfast.sockets');
    expect(gone).to.deep.include({ attributes, value: 0 });
    expect(await exported('holdfast.evictions')).to.deep.equal([]);
    await pair.close();
  });

  it('count a released socket no more', async () => {
    const pair = await connectPair();
    const guard = hf.harden(pair.client);
    guard.release();
    expect((await exported('holdfast.sockets')).map(({ value }) => value)).to.deep.equal([0]);
    await pair.close();
  });

  it('count a raw socket and the TLS socket over it once', async () => {
    const server = createTlsServer(CERTIFICATE, peer => peer.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const raw = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    hf.harden(raw);
    await once(raw, 'connect');
    const secure = connectTls({ socket: raw, rejectUnauthorized: false });
    hf.harden(secure);
    await once(secure, 'secureConnect');
    const values = async (): Promise<number> =>
      (await exported('holdfast.sockets')).reduce((sum, { value }) => sum + Number(value), 0);
    expect(await values()).to.equal(1);
    secure.destroy();
    await closed(secure);
    expect(await values()).to.equal(0);
    server.close();
    await once(server, 'close');
  });

  it('count a probe and its round trip in seconds', async () => {
    const pair = await connectPair();
    hf.harden(pair.client);
    const { rtt } = await hf.probe(pair.client);
    const [probes] = await exported('holdfast.probes');
    expect(probes?.value).to.equal(1);
    expect(probes?.attributes['holdfast.probe.outcome']).to.equal('alive');
    const [duration] = await exported('holdfast.probe.duration');
    const { count, sum } = histogram(duration);
    expect(count).to.equal(1);
    expect(sum).to.be.closeTo((rtt ?? NaN) / 1000, 1e-9);
    await pair.close();
  });

  it('record the round trip of a heartbeat', async () => {
    const { port, close } = await listen(peer => peer.pipe(peer));
    const answered = new Promise(resolve => hf.once('heartbeat', resolve));
    const socket = hf.connect({ port, host: '127.0.0.1', heartbeat: { interval: 20, send: () => 'PING' } });
    await answered;
    const [duration] = await exported('holdfast.heartbeat.duration');
    const { count, sum } = histogram(duration);
    expect(count).to.be.at.least(1);
    expect(sum).to.be.within(0, 5);
    socket.destroy();
    await closed(socket);
    await close();
  });

  it('count a socket whose heartbeat went unanswered as evicted, by cause and delivery', async () => {
    const { port, close } = await listen(peer => peer.resume());
    const socket = hf.connect({
      port,
      host: '127.0.0.1',
      heartbeat: { interval: 20, timeout: 40, send: () => 'PING' },
    });
    await closed(socket);
    const [evictions] = await exported('holdfast.evictions');
    expect(evictions).to.deep.include({
      attributes: {
        'server.address': '127.0.0.1',
        'server.port': port,
        'holdfast.cause': 'path-timeout',
        'holdfast.delivery': 'all-acknowledged',
      },
      value: 1,
    });
    await close();
  });

  it('count a refused connection as an error of which nothing was sent', async () => {
    const { port, close } = await listen();
    await close();
    const socket = hf.connect({ port, host: '127.0.0.1' });
    socket.write('never');
    await closed(socket);
    const [errors] = await exported('holdfast.never_sent.errors');
    expect(errors?.value).to.equal(1);
    expect(errors?.attributes['holdfast.cause']).to.equal('refused');
    expect(await exported('holdfast.sockets')).to.deep.equal([]);
  });

  it('count a reconnect and its downtime in seconds', async () => {
    let accepted = 0;
    const { port, close } = await listen(peer => {
      if (++accepted === 1) peer.once('data', () => peer.resetAndDestroy());
      else peer.resume();
    });
    const session = hf.createReconnectingSocket({ port, host: '127.0.0.1', reconnect: { on: 'any' } });
    let downtime: number | undefined;
    hf.on('resumed', event => (downtime = event.downtime));
    session.write('x');
    await once(session, 'resumed');
    const attributes = {
      'server.address': '127.0.0.1',
      'server.port': port,
      'holdfast.cause': 'peer-reset',
    };
    const [reconnects] = await exported('holdfast.reconnects');
    expect(reconnects).to.deep.include({ attributes, value: 1 });
    const [outage] = await exported('holdfast.reconnect.downtime');
    const { count, sum } = histogram(outage);
    expect(count).to.equal(1);
    expect(sum).to.be.closeTo((downtime ?? NaN) / 1000, 1e-9);
    session.destroy();
    await once(session, 'close');
    await close();
  });

  it('stand still once recording was stopped', async () => {
    const pair = await connectPair();
    hf.harden(pair.client);
    expect((await exported('holdfast.sockets'))[0]?.value).to.equal(1);
    stop();
    await hf.probe(pair.client);
    expect(await exported('holdfast.probes')).to.deep.equal([]);
    expect((await exported('holdfast.sockets'))[0]?.value).to.equal(0);
    await pair.close();
  });
});
