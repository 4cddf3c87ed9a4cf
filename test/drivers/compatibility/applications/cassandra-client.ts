import { Client } from 'cassandra-driver';
import { url, workTwice } from '../application.js';

const client = new Client({ contactPoints: [url.host], localDataCenter: url.pathname.slice(1) });
await client.connect();
await workTwice(() => client.execute('SELECT release_version FROM system.local'));
