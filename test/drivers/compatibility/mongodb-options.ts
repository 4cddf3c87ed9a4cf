import type { MongoClientOptions } from 'mongodb';

/** The monitor's own connection would tell of the path what the pooled one has to find out. */
export const options: MongoClientOptions = {
  directConnection: true,
  maxPoolSize: 1,
  heartbeatFrequencyMS: 3_600_000,
  serverMonitoringMode: 'poll',
};
