import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 1883;

export interface MosquittoServer {
  readonly port: number;
  /** Ends the server and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireMosquitto)`: skips the suite where there is no MQTT broker; see {@link skipForMissing}. */
export function requireMosquitto(this: Mocha.Context): void {
  if (findProgram('mosquitto') === undefined)
    skipForMissing(this, 'no MQTT broker: mosquitto is not on PATH or in /usr/sbin');
}

/** For a `describe` block behind `useNatLab`: its tests have an MQTT broker beyond the NAT. */
export function useMosquitto(nat: NatFixture): { readonly url: string } {
  useServer(requireMosquitto, () => startMosquitto(nat.lab));

  return {
    get url() {
      return `mqtt://${nat.lab.serverAddress}:${PORT}/`;
    },
  };
}

/** Starts Mosquitto on the server side, keeping nothing on disk. Everybody who can reach it may use it. */
export async function startMosquitto(side: ServerSide): Promise<MosquittoServer> {
  const program = findProgram('mosquitto');
  if (program === undefined) throw new Error('no Mosquitto here');
  return inOwnFolder('mosquitto', async folder => {
    const config = join(folder, 'mosquitto.conf');
    // As root it would become a user that a namespace of one user has not.
    const settings = [`listener ${PORT} 0.0.0.0`, 'allow_anonymous true', 'user root', 'persistence false'];
    await writeFile(config, `${settings.join('\n')}\n`);
    const child = startServer(side, { folder, endSignal: 'TERM', command: [program, '-c', config] });
    await whenSaid(child, 'running', 'Mosquitto');
    return { port: PORT, stop: () => endServer(child) };
  });
}
