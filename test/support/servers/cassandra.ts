import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 9042;
const CONTROL_PORT = 8187;

/** A node of Simulacron, which speaks Cassandra's protocol and has its system tables, but no others. */
export interface CassandraServer {
  readonly port: number;
  readonly dataCenter: string;
  /** Ends the server. Idempotent. */
  stop(): Promise<void>;
}

export interface CassandraFixture {
  readonly server: CassandraServer;
  /** With the data center as its path. */
  readonly url: string;
}

/** For `before(requireCassandra)`: skips the suite where Simulacron is missing; see {@link skipForMissing}. */
export function requireCassandra(this: Mocha.Context): void {
  if (findSimulacron() === undefined) {
    skipForMissing(
      this,
      'no Cassandra server: java is not on PATH, or HOLDFAST_TEST_SIMULACRON does not name its jar',
    );
  }
}

function findSimulacron(): { readonly java: string; readonly jar: string } | undefined {
  const jar = process.env['HOLDFAST_TEST_SIMULACRON'];
  const java = findProgram('java');
  return java === undefined || jar === undefined || !existsSync(jar) ? undefined : { java, jar };
}

/** For a `describe` block behind `useNatLab`: its tests have a node beyond the NAT. */
export function useCassandra(nat: NatFixture): CassandraFixture {
  const server = useServer(requireCassandra, () => startCassandra(nat), { limit: 60_000 });
  const fixture: CassandraFixture = {
    get server() {
      return server();
    },
    get url() {
      return `cql://${nat.lab.serverAddress}:${fixture.server.port}/${fixture.server.dataCenter}`;
    },
  };
  return fixture;
}

async function startCassandra({ lab }: NatFixture): Promise<CassandraServer> {
  const found = findSimulacron();
  if (found === undefined) throw new Error('no Simulacron here');
  return inOwnFolder('cassandra', async folder => {
    const control = ['--httpintf', lab.serverAddress, '--httpport', String(CONTROL_PORT)];
    const nodes = ['--ip', lab.serverAddress, '--disable-activity-log'];
    const java = [found.java, '-Xmx128m', '-XX:TieredStopAtLevel=1', `-Djava.io.tmpdir=${folder}`];
    const command = [...java, '-jar', found.jar, ...control, ...nodes];
    const child = startServer(lab, { folder, endSignal: 'KILL', command });
    await whenSaid(child, 'Started HTTP server', 'Simulacron');
    await addCluster(lab.serverAddress);
    return { port: PORT, dataCenter: 'dc1', stop: () => endServer(child) };
  });
}

/** One data center of one node. */
async function addCluster(host: string): Promise<void> {
  const path = '/cluster?data_centers=1&cassandra_version=3.11.0&name=lab&num_tokens=1';
  const asking = request({ host, port: CONTROL_PORT, path, method: 'POST', agent: false });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 201)
    throw new Error(`Simulacron made no cluster: ${response.statusCode ?? ''}`);
}
