import { MongoClient, type MongoClientOptions } from 'mongodb';
import type { NatFixture } from '../nat.js';
import { requireChangeStreams, startMongoJava } from './mongo-java.js';
import { requireMongo, startMongo } from './mongo.js';
import { useServer } from './use-server.js';

export interface MongoFixture {
  readonly port: number;
  readonly url: string;
  /** A client whose monitor asks seldom, so that all of its flows fall silent. Closed after the test. */
  newClient(options?: MongoClientOptions): MongoClient;
}

/** For a `describe` block behind `useNatLab`: its tests have a server beyond the NAT that MongoDB's driver speaks to. */
export function useMongo(
  nat: NatFixture,
  { hasChangeStreams = false }: { hasChangeStreams?: boolean } = {},
): MongoFixture {
  const server = hasChangeStreams
    ? useServer(requireChangeStreams, () => startMongoJava(nat.lab))
    : useServer(requireMongo, () => startMongo(nat.lab));
  const clients: MongoClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });

  return {
    get port() {
      return server().port;
    },
    get url() {
      return `mongodb://${nat.lab.serverAddress}:${this.port}/`;
    },
    newClient(options = {}) {
      const client = new MongoClient(this.url, {
        directConnection: true,
        heartbeatFrequencyMS: 3_600_000,
        serverMonitoringMode: 'poll',
        ...options,
      });
      clients.push(client);
      return client;
    },
  };
}
