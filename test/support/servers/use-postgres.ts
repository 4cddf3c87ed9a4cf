import pg from 'pg';
import { until, type NatFixture } from '../nat.js';
import { requirePostgres, startPostgres, type PostgresServer } from './postgres.js';
import { useServer } from './use-server.js';

export interface PostgresFixture {
  readonly server: PostgresServer;
  /** For `new pg.Client` and `new pg.Pool`, dialling through the NAT. */
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  readonly ca: string;
  /** Makes an empty table with one column, `n integer`, and returns its name. */
  table(): Promise<string>;
  /** Runs a statement on a connection of its own. */
  admin(statement: string): Promise<pg.QueryResult>;
  /** Resolves once the NAT has forgotten the flow of a client. */
  forgets(client: pg.Client): Promise<void>;
}

/** For a `describe` block behind {@link useNatLab}: its tests have a PostgreSQL server beyond the NAT. */
export function usePostgres(nat: NatFixture): PostgresFixture {
  const server = useServer(requirePostgres, () => startPostgres(nat.lab));
  let tables = 0;

  const fixture: PostgresFixture = {
    get server() {
      return server();
    },
    get config() {
      const { port, user, database } = fixture.server;
      return { host: nat.lab.serverAddress, port, user, database };
    },
    get ca() {
      return fixture.server.ca;
    },
    async table() {
      const name = `t${++tables}`;
      await fixture.admin(`CREATE TABLE ${name} (n integer)`);
      return name;
    },
    async admin(statement) {
      const client = new pg.Client(fixture.config);
      await client.connect();
      try {
        return await client.query(statement);
      } finally {
        await client.end();
      }
    },
    async forgets(client) {
      const { localPort } = client.connection.stream as unknown as { localPort?: number };
      const own = `:${localPort ?? 0}`;
      await until('the NAT forgets the flow', async () =>
        (await nat.lab.flows()).every(flow => flow.state !== 'ESTABLISHED' || !flow.client.endsWith(own)),
      );
    },
  };
  return fixture;
}
