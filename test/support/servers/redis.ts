import { Redis } from 'ioredis';
import { until, type NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

export interface RedisServer {
  readonly port: number;
  /** Ends the server and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

export interface RedisFixture {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Sends one command on a connection of its own. */
  admin(...command: [string, ...string[]]): Promise<unknown>;
}

/** For `before(requireRedis)`: skips the suite where there is no Redis server; see {@link skipForMissing}. */
export function requireRedis(this: Mocha.Context): void {
  if (findProgram('redis-server') === undefined)
    skipForMissing(this, 'no Redis server: redis-server is not on PATH');
}

/** For a `describe` block behind `useNatLab`: its tests have a Redis server, or cluster of one node, beyond the NAT. */
export function useRedis(
  nat: NatFixture,
  { port = 6379, isCluster = false }: { port?: number; isCluster?: boolean } = {},
): RedisFixture {
  const announced = (): string[] =>
    isCluster ? ['--cluster-enabled', 'yes', '--cluster-announce-ip', nat.lab.serverAddress] : [];
  useServer(requireRedis, () => startRedis(nat.lab, port, announced()));
  before(async () => {
    if (!isCluster) return;
    await fixture.admin('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until('the cluster has formed', async () =>
      String(await fixture.admin('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
  });

  const fixture: RedisFixture = {
    get host() {
      return nat.lab.serverAddress;
    },
    port,
    get url() {
      return `redis://${nat.lab.serverAddress}:${port}`;
    },
    async admin(...[command, ...args]) {
      const redis = new Redis({ host: fixture.host, port, lazyConnect: true });
      try {
        await redis.connect();
        return await redis.call(command, ...args);
      } finally {
        redis.disconnect();
      }
    },
  };
  return fixture;
}

/** Starts Redis on the server side, keeping nothing on disk. Everybody who can reach it may use it. */
export async function startRedis(
  side: ServerSide,
  port: number,
  more: readonly string[] = [],
): Promise<RedisServer> {
  const program = findProgram('redis-server');
  if (program === undefined) throw new Error('no Redis server here');
  return inOwnFolder('redis', async folder => {
    const settings = ['--port', String(port), '--bind', '0.0.0.0', '--protected-mode', 'no', '--dir', folder];
    const command = [program, ...settings, '--save', '', '--appendonly', 'no', ...more];
    const child = startServer(side, { folder, endSignal: 'TERM', command });
    await whenSaid(child, 'Ready to accept connections', 'Redis');
    return { port, stop: () => endServer(child) };
  });
}
