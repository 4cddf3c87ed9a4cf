import { existsSync } from 'node:fs';
import type { NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PROGRAM = 'kafka-broker';
const PORT = 9092;
const TOPIC = 'lab';

export interface KafkaServer {
  readonly port: number;
  /** The one topic there is, of one partition. */
  readonly topic: string;
  /** Ends the broker and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/** For `before(requireKafka)`: skips the suite where there is no Kafka broker; see {@link skipForMissing}. */
export function requireKafka(this: Mocha.Context): void {
  if (findKafka() === undefined) {
    skipForMissing(
      this,
      `no Kafka broker: ${PROGRAM} is neither on PATH nor named by HOLDFAST_TEST_KAFKA (scripts/servers/kafka-broker.sh)`,
    );
  }
}

function findKafka(): string | undefined {
  const named = process.env['HOLDFAST_TEST_KAFKA'];
  return named !== undefined && existsSync(named) ? named : findProgram(PROGRAM);
}

/** For a `describe` block behind `useNatLab`: its tests have a Kafka broker beyond the NAT. */
export function useKafka(nat: NatFixture): { readonly url: string } {
  useServer(requireKafka, () => startKafka(nat.lab, nat.lab.serverAddress));

  return {
    /** Its path is the topic. */
    get url() {
      return `kafka://${nat.lab.serverAddress}:${PORT}/${TOPIC}`;
    },
  };
}

/** Starts franz-go's broker on the server side, in memory, at the address its clients use. */
export async function startKafka(side: ServerSide, address: string): Promise<KafkaServer> {
  const program = findKafka();
  if (program === undefined) throw new Error('no Kafka broker here');
  return inOwnFolder('kafka', async folder => {
    const command = [program, `${address}:${PORT}`, TOPIC];
    const child = startServer(side, { folder, endSignal: 'TERM', command });
    await whenSaid(child, 'listening', 'the Kafka broker');
    return { port: PORT, topic: TOPIC, stop: () => endServer(child) };
  });
}
