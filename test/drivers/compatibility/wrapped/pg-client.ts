import pg from 'pg';
import { supervise } from '../../../../src/drivers/pg.js';
import { url, workTwice } from '../application.js';

const session = supervise({
  open: async () => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    return client;
  },
});
await workTwice(() => session.run(client => client.query('SELECT 1')));
