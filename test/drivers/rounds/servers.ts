import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatFixture } from '../../support/nat.js';
import { useDovecot } from '../../support/servers/dovecot-fixture.js';
import { useMariadb } from '../../support/servers/mariadb.js';
import { useRedis, type RedisFixture } from '../../support/servers/redis.js';
import { usePostgres } from '../../support/servers/use-postgres.js';

/** Where an application writes its numbers. */
export interface Ledger {
  readonly url: string;
  readonly place: string;
  /** The numbers that are there, in ascending order. */
  written(): Promise<number[]>;
  /** What a server does after a while by itself: it gives up sessions of which it hears no more. */
  tidyUp?(): Promise<unknown>;
}

export type ServerName = 'postgres' | 'mariadb' | 'redis' | 'redisCluster' | 'dovecot';

/** For a `describe` block behind `useNatLab`: makes an empty ledger on one of the servers beyond the NAT. */
export function useLedgers(nat: NatFixture): (server: ServerName, isEvicted: boolean) => Promise<Ledger> {
  const postgres = usePostgres(nat);
  const mariadb = useMariadb(nat);
  const cache = useRedis(nat);
  const shards = useRedis(nat, { port: 6380, isCluster: true });
  const imap = useDovecot(nat);
  let keys = 0;

  function ofRedis(redis: RedisFixture): Ledger {
    const place = `{key${++keys}}`;
    return {
      url: redis.url,
      place,
      async written() {
        const numbers = ascending(await redis.admin('LRANGE', place, '0', '-1'));
        // Each was counted, too. A command that ran twice shows even if a list could hide it.
        const counted = Number(await redis.admin('GET', `${place}n`));
        return counted === numbers.length ? numbers : [...numbers, counted];
      },
    };
  }

  const make: Record<ServerName, (isEvicted: boolean) => Promise<Ledger>> = {
    async postgres(isEvicted) {
      const { host, port, user, database } = postgres.config;
      const place = await postgres.table();
      // The server does not learn what the NAT has forgotten. Its own limit ends those sessions, long after the NAT did.
      const limit = isEvicted ? '?options=-c%20idle_session_timeout%3D8s' : '';
      return {
        url: `postgres://${user}@${host}:${port}/${database}${limit}`,
        place,
        async written() {
          const { rows } = await postgres.admin(`SELECT n FROM ${place}`);
          return ascending((rows as { n: number }[]).map(({ n }) => n));
        },
      };
    },
    async mariadb() {
      const { host, port, user, database } = mariadb.config;
      const place = await mariadb.table();
      return {
        url: `mysql://${user}@${host}:${port}/${database}`,
        place,
        async written() {
          const rows = await mariadb.admin(`SELECT n FROM ${place}`);
          return ascending(rows.map(row => row['n'] as unknown));
        },
      };
    },
    redis: () => Promise.resolve(ofRedis(cache)),
    redisCluster: () => Promise.resolve(ofRedis(shards)),
    dovecot(isEvicted) {
      const { host = '', port = 0, auth } = imap.config();
      const { user } = auth;
      return Promise.resolve({
        url: `imap://${user}:${imap.server.password}@${host}:${port}/`,
        place: 'INBOX',
        async written() {
          const folders = ['new', 'cur'].map(part => join(imap.server.mail, user, part));
          const files = await Promise.all(
            folders.map(async folder => (await readdir(folder)).map(name => join(folder, name))),
          );
          const mails = await Promise.all(files.flat().map(file => readFile(file, 'utf8')));
          return ascending(mails.map(mail => /^Subject: (\d+)$/m.exec(mail.replaceAll('\r', ''))?.[1]));
        },
        // It takes no more than ten sessions of one user. It refuses where there is none, because the application is gone.
        ...(isEvicted ? { tidyUp: () => imap.server.kick(user).catch(() => undefined) } : {}),
      });
    },
  };
  return (server, isEvicted) => make[server](isEvicted);
}

function ascending(values: unknown): number[] {
  return (values as unknown[]).map(Number).sort((a, b) => a - b);
}
