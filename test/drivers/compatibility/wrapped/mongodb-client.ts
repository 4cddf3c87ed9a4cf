import { MongoClient } from 'mongodb';
import { harden } from '../../../../src/drivers/mongodb.js';
import { url, workTwice } from '../application.js';
import { options } from '../mongodb-options.js';

const client = harden(new MongoClient(url.href, options));
const collection = client.db('lab').collection('register');
await workTwice(() => collection.insertOne({ at: new Date() }));
