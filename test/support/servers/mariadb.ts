import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { type NatFixture } from '../nat.js';
import { skipForMissing } from './missing.js';
import { findProgram, inOwnFolder, whenSaid } from './programs.js';
import { endServer, startServer, type ServerSide } from './server-script.js';
import { useServer } from './use-server.js';

const PORT = 3306;
const USER = 'holdfast';
const DATABASE = 'lab';

export interface MariadbServer {
  readonly port: number;
  /** Everything the server has logged. */
  log(): string;
  /** Ends the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

export interface MariadbFixture {
  /** For `mysql.createConnection` and `mysql.createPool`, dialling through the NAT. */
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Runs a statement on a connection of its own. */
  admin(statement: string): Promise<mysql.RowDataPacket[]>;
  /** Makes an empty table with one column, `n INT`, and returns its name. */
  table(): Promise<string>;
}

/** For `before(requireMariadb)`: skips the suite where there is no MariaDB server; see {@link skipForMissing}. */
export function requireMariadb(this: Mocha.Context): void {
  if (findProgram('mariadbd') === undefined || findProgram('mariadb-install-db') === undefined) {
    skipForMissing(this, 'no MariaDB server: mariadbd and mariadb-install-db are not on PATH');
  }
}

/** For a `describe` block behind `useNatLab`: its tests have a MariaDB server beyond the NAT. */
export function useMariadb(nat: NatFixture): MariadbFixture {
  useServer(requireMariadb, () => startMariadb(nat.lab));
  let tables = 0;

  const fixture: MariadbFixture = {
    get config() {
      return { host: nat.lab.serverAddress, port: PORT, user: USER, database: DATABASE };
    },
    async admin(statement) {
      const connection = await mysql.createConnection(fixture.config);
      try {
        const [rows] = await connection.query<mysql.RowDataPacket[]>(statement);
        return rows;
      } finally {
        await connection.end();
      }
    },
    async table() {
      const name = `t${++tables}`;
      await fixture.admin(`CREATE TABLE ${name} (n INT)`);
      return name;
    },
  };
  return fixture;
}

/**
 * Starts MariaDB on the server side, with data of its own. Everybody who can reach it may log in: it belongs in a lab.
 */
export async function startMariadb(side: ServerSide): Promise<MariadbServer> {
  const [mariadbd, install] = [findProgram('mariadbd'), findProgram('mariadb-install-db')];
  if (mariadbd === undefined || install === undefined) throw new Error('no MariaDB server here');
  return inOwnFolder('mariadb', async folder => {
    const data = join(folder, 'data');
    const common = ['--no-defaults', `--datadir=${data}`];
    if (process.getuid?.() === 0) common.push('--user=root');
    const layout = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
    await promisify(execFile)(install, [...common, ...layout], { cwd: folder });
    const setUp = join(folder, 'setup.sql');
    const statements = `CREATE DATABASE ${DATABASE}; CREATE USER ${USER}@'%'; GRANT ALL ON *.* TO ${USER}@'%';`;
    await writeFile(setUp, statements.replaceAll('; ', ';\n') + '\n');
    const command = [mariadbd, ...common, ...settings(folder), `--init-file=${setUp}`];
    const child = startServer(side, { folder, endSignal: 'TERM', command });
    const log = await whenSaid(child, 'ready for connections', 'MariaDB');
    return { port: PORT, log, stop: () => endServer(child) };
  });
}

function settings(folder: string): string[] {
  return [
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--port=${PORT}`,
    '--bind-address=0.0.0.0',
    '--skip-name-resolve',
    '--innodb-buffer-pool-size=16M',
    '--innodb-log-file-size=8M',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-fast-shutdown=2',
  ];
}
