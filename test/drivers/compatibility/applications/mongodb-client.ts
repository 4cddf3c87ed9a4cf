import { MongoClient } from 'mongodb';
import { url, workTwice } from '../application.js';
import { options } from '../mongodb-options.js';

const client = new MongoClient(url.href, options);
const collection = client.db('lab').collection('register');
await workTwice(() => collection.insertOne({ at: new Date() }));
