import { expect } from 'chai';
import pg from 'pg';
import { harden } from '../../src/drivers/pg.js';
import { createReconnectingSocket, type ReconnectingSocket } from '../../src/index.js';
import { useNatLab } from '../support/nat.js';
import { usePostgres } from '../support/servers/use-postgres.js';

describe('pg over a reconnecting stream, behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const db = usePostgres(nat);
  const keepalive = { idle: '1s', interval: '1s' } as const;

  it('takes the stream as its own: plain and TLS, over a silence, to the end', async () => {
    const streams: ReconnectingSocket[] = [];
    const stream = (): ReconnectingSocket => {
      // Without a port: pg says where to.
      const made = createReconnectingSocket({ keepalive });
      streams.push(made);
      return made;
    };
    const plain = new pg.Client({ ...db.config, stream });
    const secure = harden(new pg.Client({ ...db.config, stream, ssl: { ca: db.ca } }), { heartbeat: false });
    const bare = new pg.Client(db.config);
    bare.on('error', () => undefined);
    await Promise.all([plain.connect(), secure.connect(), bare.connect()]);
    await db.forgets(bare);

    const question = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    expect((await plain.query(question)).rows).to.deep.equal([{ ssl: false }]);
    expect((await secure.query(question)).rows).to.deep.equal([{ ssl: true }]);
    const long = await plain.query<{ text: string }>("SELECT repeat('x', 1000000) AS text");
    expect(long.rows[0]?.text).to.have.length(1_000_000);
    expect(streams.map(({ generation }) => generation)).to.deep.equal([1, 1]);

    // A server that exits on the goodbye resets a connection whose FIN it has not read yet; pg ignores that while it ends,
    // and so does this, but nothing else.
    const errors: unknown[] = [];
    for (const made of streams) made.on('error', error => errors.push((error as { code?: unknown }).code));
    const closed = Promise.all(streams.map(made => new Promise(resolve => made.once('close', resolve))));
    await Promise.all([plain.end(), secure.end()]);
    await closed;
    expect(errors.filter(code => code !== 'ECONNRESET')).to.deep.equal([]);
    bare.connection.stream.destroy();
  });

  it('serves a pool', async () => {
    const pool = new pg.Pool({
      ...db.config,
      max: 2,
      stream: () => createReconnectingSocket({ keepalive }),
    });
    const answers = await Promise.all([1, 2, 3, 4].map(n => pool.query<{ n: number }>(`SELECT ${n} AS n`)));
    expect(answers.map(({ rows }) => rows[0]?.n)).to.deep.equal([1, 2, 3, 4]);
    await pool.end();
  });
});
