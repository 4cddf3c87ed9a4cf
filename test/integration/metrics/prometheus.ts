import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { skipForMissing } from '../../support/servers/missing.js';
import { findProgram, inOwnFolder, whenSaid } from '../../support/servers/programs.js';
import { endServer, startServer } from '../../support/servers/server-script.js';

/** One line of an instant query's answer. */
export interface Answer {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** @param at milliseconds since 1970; default: now */
  query(promql: string, at?: number): Promise<readonly Answer[]>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** For a `before` hook: skips the suite where there is no Prometheus; see {@link skipForMissing}. */
export function requirePrometheus(this: Mocha.Context): void {
  if (findProgram('prometheus') === undefined)
    skipForMissing(this, 'no Prometheus: prometheus is not on PATH');
}

/** Starts Prometheus on loopback with a folder of its own; it scrapes one port of loopback ten times a second. */
export async function startPrometheus(scraped: number): Promise<Prometheus> {
  const program = findProgram('prometheus');
  if (program === undefined) throw new Error('no Prometheus here');
  return inOwnFolder('prometheus', async folder => {
    const config = join(folder, 'prometheus.yml');
    const job = { job_name: 'application', static_configs: [{ targets: [`127.0.0.1:${scraped}`] }] };
    // JSON is YAML.
    await writeFile(config, JSON.stringify({ global: SCRAPING, scrape_configs: [job] }));
    const settings = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`];
    const command = [program, ...settings, '--web.listen-address=127.0.0.1:0'];
    const here = { spawn: (_: 'server', ...rest: Parameters<typeof spawn>) => spawn(...rest) };
    const child = startServer(here, { folder, endSignal: 'TERM', command });
    const log = await whenSaid(child, 'Server is ready to receive web requests', 'Prometheus');
    const [, port] = /Listening on" address=127\.0\.0\.1:(\d+)/.exec(log()) ?? [];
    if (port === undefined) throw new Error(`Prometheus does not say where it listens:\n${log()}`);
    return {
      query: (promql, at = Date.now()) => ask(`http://127.0.0.1:${port}`, promql, at),
      stop: () => endServer(child),
    };
  });
}

const SCRAPING = { scrape_interval: '100ms', scrape_timeout: '100ms' };

interface Reply {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value: readonly [number, string];
    }[];
  };
}

async function ask(base: string, promql: string, at: number): Promise<readonly Answer[]> {
  const parameters = new URLSearchParams({ query: promql, time: (at / 1000).toFixed(3) });
  // No agent: a connection kept for later would outlive the test.
  const request = get(`${base}/api/v1/query?${parameters.toString()}`, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { status, error, data } = JSON.parse(await text(response)) as Reply;
  if (status !== 'success' || data === undefined) throw new Error(`${error ?? status}, asked: ${promql}`);
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}
