import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

/** What is on PATH insists on an account and folders of its own, and then runs this. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const PORT = 5672;
const DISTRIBUTION_PORT = 25672;

export interface RabbitmqServer {
  readonly port: number;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireRabbitmq)`: skips the suite where there is no RabbitMQ; see {@link skipForMissing}. */
export function requireRabbitmq(this: Mocha.Context): void {
  if (!existsSync(PROGRAM)) skipForMissing(this, `no AMQP broker: there is no ${PROGRAM}`);
}

/** For a `describe` block behind `useNatLab`: its tests have an AMQP broker beyond the NAT. */
export function useRabbitmq(nat: NatFixture): { readonly url: string } {
  useServer(requireRabbitmq, () => startRabbitmq(nat.lab), { limit: 90_000 }); // 4 s where nothing else runs

  return {
    get url() {
      return `amqp://guest:guest@${nat.lab.serverAddress}:${PORT}/`;
    },
  };
}

/** Starts RabbitMQ on the server side, without plugins. Everybody who can reach it may use it. */
export async function startRabbitmq(side: ServerSide): Promise<RabbitmqServer> {
  return inOwnFolder('rabbitmq', async folder => {
    const inFolder = (name: string): string => join(folder, name);
    await writeFile(inFolder('enabled_plugins'), '[].\n');
    await writeFile(inFolder('rabbitmq.conf'), settings());
    const environment = {
      HOME: folder,
      RABBITMQ_NODENAME: 'lab@localhost',
      RABBITMQ_MNESIA_BASE: inFolder('mnesia'),
      RABBITMQ_LOG_BASE: inFolder('log'),
      RABBITMQ_PID_FILE: inFolder('pid'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_CONFIG_FILE: inFolder('rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: inFolder('enabled_plugins'),
      RABBITMQ_DIST_PORT: String(DISTRIBUTION_PORT),
    };
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    // Erlang starts a daemon of its own beside it, which outlives it. What is in a process namespace ends with its first.
    const inNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--'];
    const child = startServer(side, {
      folder,
      endSignal: 'KILL',
      command: ['env', ...variables, ...inNamespace, PROGRAM],
    });
    await whenSaid(child, 'Server startup complete', 'RabbitMQ');
    return { port: PORT, stop: () => endServer(child) };
  });
}

function settings(): string {
  return `
listeners.tcp.1 = 0.0.0.0:${PORT}
loopback_users = none
log.console = true
log.file = false
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 1MB
`;
}
