import { useNatLab } from '../../support/nat.js';
import { useMariadb } from '../../support/servers/mariadb.js';
import { usePostgres } from '../../support/servers/use-postgres.js';
import { itTellsTheFates } from './compatibility.js';

describe('PostgreSQL and MySQL drivers behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const postgres = usePostgres(nat);
  const mariadb = useMariadb(nat);
  const postgresUrl = (): string => {
    const { host, port, user, database } = postgres.config;
    return `postgres://${user}@${host}:${port}/${database}`;
  };
  const mysqlUrl = (): string => {
    const { host, port, user, database } = mariadb.config;
    return `mysql://${user}@${host}:${port}/${database}`;
  };

  itTellsTheFates(nat, [
    { name: 'pg Client', application: 'pg-client', wrapped: 'pg-client', url: postgresUrl },
    {
      name: "pg Client without an 'error' listener",
      application: 'pg-client-without-listener',
      url: postgresUrl,
    },
    { name: 'pg Pool', application: 'pg-pool', wrapped: 'pg-pool', url: postgresUrl },
    {
      name: 'mysql2 connection',
      application: 'mysql2-connection',
      wrapped: 'mysql2-connection',
      url: mysqlUrl,
    },
    { name: 'mysql2 pool', application: 'mysql2-pool', wrapped: 'mysql2-pool', url: mysqlUrl },
  ]);

  // A burst of their own: starting all of them together would take the better part of the NAT's time.
  itTellsTheFates(nat, [
    { name: 'postgres', application: 'postgres', url: postgresUrl },
    { name: 'mariadb connection', application: 'mariadb-connection', url: mysqlUrl },
    { name: 'mariadb pool', application: 'mariadb-pool', url: mysqlUrl },
  ]);
});
