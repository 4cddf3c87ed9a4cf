import { Client } from 'ldapts';
import { url, workTwice } from '../application.js';

const client = new Client({ url: `ldap://${url.host}` });
await client.bind(decodeURIComponent(url.username), url.password);
await workTwice(async () => {
  const { searchEntries } = await client.search(url.pathname.slice(1), { scope: 'base' });
  // To whoever is not bound this server does not refuse the search: it shows nothing.
  if (searchEntries.length === 0) throw new Error('nothing found');
});
