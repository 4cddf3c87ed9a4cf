import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { checkAtCheckOut } from '../../../src/drivers/mongodb-checkout.js';
import { pingOn, type Pool, type PooledConnection } from '../../../src/drivers/mongodb-pool.js';

const ADDRESS = 'db.test:27017';

class FakeConnection implements PooledConnection {
  readonly closed = false;
  readonly generation = 0;
  readonly idleTime = 0;
  readonly socket = new Socket();
  readonly id: number;
  pings = 0;
  constructor(id: number) {
    this.id = id;
  }
  command(): Promise<void> {
    this.pings += 1;
    return Promise.resolve();
  }
  /** As one whose death the driver has not noticed yet. */
  dies(): this {
    this.socket.destroy();
    return this;
  }
}

class FakeList extends Array<FakeConnection> {
  prune(isUnwanted: (connection: FakeConnection) => boolean): void {
    for (const connection of this.filter(isUnwanted)) this.splice(this.indexOf(connection), 1);
  }
}

/** Throws away what is given back dead. */
class FakePool {
  readonly generation = 0;
  readonly waitQueueSize = 0;
  readonly options: { maxPoolSize: number };
  readonly connections = new FakeList();
  readonly givenBack: FakeConnection[] = [];
  constructor(connections: FakeConnection[], maxPoolSize: number) {
    this.connections.push(...connections);
    this.options = { maxPoolSize };
  }
  checkOut(): Promise<FakeConnection> {
    return Promise.resolve(this.connections.shift() ?? expect.fail('no connection is left'));
  }
  checkIn(connection: FakeConnection): void {
    this.givenBack.push(connection);
    if (!connection.socket.destroyed) this.connections.unshift(connection);
  }
}

class FakeClient extends EventEmitter {
  readonly topology: object;
  constructor(pool: FakePool) {
    super();
    this.topology = { s: { servers: new Map([[ADDRESS, { pool }]]) } };
  }
  connect = (): Promise<void> => Promise.resolve();
  db = (): object => ({});
}

function setUp(connections: FakeConnection[], { maxPoolSize = 10 } = {}) {
  const pool = new FakePool(connections, maxPoolSize);
  const client = new FakeClient(pool);
  checkAtCheckOut(client, 1000);
  client.emit('connectionPoolCreated', { address: ADDRESS });
  return { pool, asPool: pool as unknown as Pool };
}

describe('the pools of a hardened mongodb client', () => {
  it('hand out the first connection that lives, and throw away those before it', async () => {
    const [one, two, three] = [
      new FakeConnection(1).dies(),
      new FakeConnection(2).dies(),
      new FakeConnection(3),
    ];
    const { pool, asPool } = setUp([one, two, three]);
    expect(await asPool.checkOut({})).to.equal(three);
    expect(pool.givenBack).to.deep.equal([one, two]);
  });

  it('do not ask for ever: after as many as the pool may have, the next is handed out as it is', async () => {
    const dead = [1, 2, 3].map(id => new FakeConnection(id).dies());
    const { asPool } = setUp(dead, { maxPoolSize: 2 });
    expect(await asPool.checkOut({})).to.equal(dead[2]);
  });

  it('give a ping the very connection it is for, also when it is dead', async () => {
    const [one, two] = [new FakeConnection(1), new FakeConnection(2).dies()];
    const { asPool } = setUp([one, two]);
    await pingOn(asPool, two);
    expect([one.pings, two.pings]).to.deep.equal([0, 1]);
  });
});
