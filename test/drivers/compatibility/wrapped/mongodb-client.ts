import { MongoClient } from 'mongodb';
import { harden } from '../../../../src/drivers/mongodb.js';
import { url, workTwice } from '../application.js';

// As in the application without the wrapper.
const client = harden(
  new MongoClient(url.href, {
    directConnection: true,
    maxPoolSize: 1,
    heartbeatFrequencyMS: 3_600_000,
    serverMonitoringMode: 'poll',
  }),
);
const collection = client.db('lab').collection('register');
await workTwice(() => collection.insertOne({ at: new Date() }));
