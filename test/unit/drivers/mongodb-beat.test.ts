import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { beatPools } from '../../../src/drivers/mongodb-beat.js';
import { FakeClock } from '../../support/fake-clock.js';

const ADDRESS = 'db.internal:27017';

class FakeConnection {
  closed = false;
  generation = 0;
  idleTime = 0;
  readonly socket = new Socket();
  pings = 0;
  #answer: (() => void) | undefined;
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
  command(): Promise<void> {
    this.pings += 1;
    return new Promise(resolve => (this.#answer = resolve));
  }
  async answer(): Promise<void> {
    this.#answer?.();
    await new Promise(setImmediate);
  }
}

/** The driver's list of idle connections, as far as it matters: an array with two more methods. */
class FakeList extends Array<FakeConnection> {
  prune(isUnwanted: (connection: FakeConnection) => boolean): void {
    for (let index = this.length - 1; index >= 0; index--) {
      const connection = this[index];
      if (connection !== undefined && isUnwanted(connection)) this.splice(index, 1);
    }
  }
}

/** Hands out the first of its idle connections, and takes one back as the first. */
class FakePool {
  generation = 0;
  waitQueueSize = 0;
  options: { maxIdleTimeMS?: number } = {};
  readonly connections = new FakeList();
  readonly #tell: (event: string, connection: FakeConnection) => void;
  constructor(tell: (event: string, connection: FakeConnection) => void) {
    this.#tell = tell;
  }
  async checkOut(): Promise<FakeConnection> {
    await Promise.resolve();
    return this.connections.shift() ?? expect.fail('no connection was idle');
  }
  checkIn(connection: FakeConnection): void {
    this.connections.unshift(connection);
    this.#tell('connectionCheckedIn', connection);
  }
}

class FakeClient extends EventEmitter {
  readonly pool = new FakePool((event, { id }) => this.emit(event, { address: ADDRESS, connectionId: id }));
  readonly topology: object | undefined = { s: { servers: new Map([[ADDRESS, { pool: this.pool }]]) } };
  connect(): Promise<void> {
    return Promise.resolve();
  }
  db(): object {
    return {};
  }
  /** As a pool does that fills itself. */
  async made(...connections: FakeConnection[]): Promise<void> {
    for (const connection of connections) {
      this.emit('connectionReady', { address: ADDRESS, connectionId: connection.id });
      this.pool.connections.push(connection);
    }
    await Promise.resolve();
  }
}

describe('the heartbeat of mongodb pools', () => {
  let clock: FakeClock;
  let client: FakeClient;
  let connections: [FakeConnection, FakeConnection, FakeConnection];

  beforeEach(async () => {
    clock = new FakeClock();
    client = new FakeClient();
    connections = [new FakeConnection(1), new FakeConnection(2), new FakeConnection(3)];
    beatPools(client, { interval: 1000, timeout: 400 }, clock);
    await client.made(...connections);
  });

  const pings = (): number[] => connections.map(connection => connection.pings);

  it('pings each connection, those at the bottom of the pool too, and puts it back', async () => {
    clock.advance(1000);
    await new Promise(setImmediate);
    expect(client.pool.connections).to.have.length(0);
    expect(pings()).to.deep.equal([1, 1, 1]);
    for (const connection of connections) await connection.answer();
    expect([...client.pool.connections]).to.have.members(connections);
  });

  it('pings none that is checked out, and that one an interval after it was given back', async () => {
    const [first] = connections;
    client.pool.connections.shift();
    clock.advance(1000);
    await new Promise(setImmediate);
    expect(pings()).to.deep.equal([0, 1, 1]);
    for (const connection of connections) await connection.answer();
    clock.advance(300);
    client.pool.checkIn(first);
    clock.advance(999);
    await new Promise(setImmediate);
    expect(first.pings).to.equal(0);
    clock.advance(1);
    await new Promise(setImmediate);
    expect(first.pings).to.equal(1);
  });

  it('takes none away from those who wait for one', async () => {
    client.pool.waitQueueSize = 1;
    clock.advance(1000);
    await new Promise(setImmediate);
    expect(pings()).to.deep.equal([0, 0, 0]);
  });

  it('leaves alone what the pool would throw away: of an earlier generation, idle for too long', async () => {
    const [first, second] = connections;
    client.pool.generation = 1;
    second.generation = 1;
    first.idleTime = 0;
    clock.advance(1000);
    await new Promise(setImmediate);
    expect(pings()).to.deep.equal([0, 1, 0]);
    await second.answer();
    client.pool.options = { maxIdleTimeMS: 500 };
    second.idleTime = 501;
    clock.advance(1000);
    await new Promise(setImmediate);
    expect(second.pings).to.equal(1);
  });

  it('ends the socket of one that does not answer, and of no other', async () => {
    const [first, second, third] = connections;
    for (const { socket } of connections) socket.on('error', () => undefined);
    clock.advance(1000);
    await new Promise(setImmediate);
    await second.answer();
    await third.answer();
    clock.advance(500);
    expect(first.socket.destroyed).to.equal(true);
    expect(first.socket.errored).to.have.property('code', 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT');
    expect([second.socket.destroyed, third.socket.destroyed]).to.deep.equal([false, false]);
  });

  it('leaves no timer behind when the connections are closed', () => {
    for (const { id } of connections) {
      client.emit('connectionClosed', { address: ADDRESS, connectionId: id });
    }
    expect(clock.pending).to.deep.equal([]);
  });

  it('sends none with a driver that keeps its pools elsewhere', async () => {
    const other = new (class extends FakeClient {
      override readonly topology = { s: {} };
    })();
    const lone = new FakeClock();
    beatPools(other, { interval: 1000, timeout: 400 }, lone);
    await other.made(new FakeConnection(1));
    other.pool.checkIn(new FakeConnection(2));
    expect(lone.pending).to.deep.equal([]);
  });
});
