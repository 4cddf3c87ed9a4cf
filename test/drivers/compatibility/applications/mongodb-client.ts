import { MongoClient } from 'mongodb';
import { url, workTwice } from '../application.js';

// The monitor's own connection would tell of the path what the pooled one has to find out.
const client = new MongoClient(url.href, {
  directConnection: true,
  maxPoolSize: 1,
  heartbeatFrequencyMS: 3_600_000,
  serverMonitoringMode: 'poll',
});
const collection = client.db('lab').collection('register');
await workTwice(() => collection.insertOne({ at: new Date() }));
