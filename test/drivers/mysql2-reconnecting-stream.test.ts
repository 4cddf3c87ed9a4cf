import { expect } from 'chai';
import { once } from 'node:events';
import mysql from 'mysql2/promise';
import { connect } from 'node:net';
import { createReconnectingSocket } from '../../src/index.js';
import { until, useNatLab } from '../support/nat.js';
import { useMariadb } from '../support/servers/mariadb.js';

describe('mysql2 over a reconnecting stream, behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const db = useMariadb(nat);
  const keepalive = { idle: '1s', interval: '1s' } as const;

  it('takes the stream as its own, over a silence, to the end', async () => {
    const { host, port } = db.config;
    const stream = createReconnectingSocket({ host, port, keepalive });
    const connection = await mysql.createConnection({ ...db.config, stream });
    // A bare connection proves that the silence is long enough.
    const bare = connect(port, host).on('error', () => undefined);
    await once(bare, 'connect');
    const own = `:${bare.localPort ?? 0}`;
    await until('the NAT forgets the bare connection', async () =>
      (await nat.lab.flows()).every(flow => flow.state !== 'ESTABLISHED' || !flow.client.endsWith(own)),
    );
    bare.destroy();
    const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT REPEAT('x', 1000000) AS text");
    expect(rows[0]?.['text']).to.have.length(1_000_000);
    expect(stream.generation).to.equal(1);
    const closed = new Promise(resolve => stream.once('close', resolve));
    await connection.end();
    await closed;
  });
});
