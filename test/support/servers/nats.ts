import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 4222;

export interface NatsServer {
  readonly port: number;
  /** Ends the server and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireNats)`: skips the suite where there is no NATS server; see {@link skipForMissing}. */
export function requireNats(this: Mocha.Context): void {
  if (findProgram('nats-server') === undefined)
    skipForMissing(this, 'no NATS server: nats-server is not on PATH or in /usr/sbin');
}

/** For a `describe` block behind `useNatLab`: its tests have a NATS server beyond the NAT. */
export function useNats(nat: NatFixture): { readonly url: string } {
  useServer(requireNats, () => startNats(nat.lab));

  return {
    get url() {
      return `nats://${nat.lab.serverAddress}:${PORT}/`;
    },
  };
}

/** Starts a NATS server on the server side. Everybody who can reach it may use it. */
export async function startNats(side: ServerSide): Promise<NatsServer> {
  const program = findProgram('nats-server');
  if (program === undefined) throw new Error('no NATS server here');
  return inOwnFolder('nats', async folder => {
    const command = [program, '--addr', '0.0.0.0', '--port', String(PORT)];
    const child = startServer(side, { folder, endSignal: 'TERM', command });
    await whenSaid(child, 'Server is ready', 'NATS');
    return { port: PORT, stop: () => endServer(child) };
  });
}
