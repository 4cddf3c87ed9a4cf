import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Holdfast } from '../../../src/index.js';
import { listen, type Listening } from '../../support/pair.js';

/** How often each thing is to happen. */
export interface Happenings {
  readonly probedAlive: number;
  /** Reset by the peer while the answer is waited for. */
  readonly probedDead: number;
  /** By a heartbeat that nobody answers. */
  readonly evicted: number;
  readonly refused: number;
  readonly reconnected: number;
  /** In use again only after more than a second. */
  readonly reconnectedLate: number;
}

interface Places {
  readonly echo: Listening;
  readonly deaf: Listening;
  /** Resets whoever says something. */
  readonly flaky: Listening;
  readonly closedPort: number;
}

const HOST = '127.0.0.1';

/** Servers on loopback whose clients come to all the ends that metrics tell of. */
export class NetworkEvents {
  readonly #holdfast: Holdfast;
  readonly #places: Places;
  readonly #answered: Socket;

  /** Resolves once a first heartbeat was answered. */
  static async prepare(holdfast: Holdfast): Promise<NetworkEvents> {
    const closed = await listen();
    await closed.close();
    const events = new NetworkEvents(holdfast, {
      echo: await listen(peer => peer.pipe(peer)),
      deaf: await listen(peer => peer.resume()),
      flaky: await listen(peer => peer.once('data', () => peer.resetAndDestroy())),
      closedPort: closed.port,
    });
    await new Promise(resolve => holdfast.once('heartbeat', resolve));
    return events;
  }

  private constructor(holdfast: Holdfast, places: Places) {
    this.#holdfast = holdfast;
    this.#places = places;
    // However busy the machine is, this one must not be evicted.
    const heartbeat = { interval: 20, timeout: 15_000, send: () => 'PING' };
    this.#answered = holdfast.connect({ port: places.echo.port, host: HOST, heartbeat }).resume();
  }

  /** The port of the one socket that stays guarded. */
  get guardedPort(): number {
    return this.#places.echo.port;
  }

  async happen(times: Happenings): Promise<void> {
    // A probe takes a second, so they wait together. Each of the others would be noticed by its like.
    await Promise.all(Array.from({ length: times.probedAlive }, () => this.#probeAlive()));
    for (let count = 0; count < times.probedDead; count++) await this.#probeDead();
    for (let count = 0; count < times.evicted; count++) await this.#evict();
    for (let count = 0; count < times.refused; count++) await this.#refuse();
    for (let count = 0; count < times.reconnected; count++) await this.#reconnect(0);
    for (let count = 0; count < times.reconnectedLate; count++) await this.#reconnect(1100);
  }

  async close(): Promise<void> {
    this.#answered.destroy();
    const { echo, deaf, flaky } = this.#places;
    await Promise.all([echo, deaf, flaky].map(server => server.close()));
  }

  async #probeAlive(): Promise<void> {
    const socket = this.#holdfast.connect({ port: this.#places.deaf.port, host: HOST });
    await once(socket, 'connect');
    if (!(await this.#holdfast.probe(socket)).alive) throw new Error('a living path was called dead');
    await gone(socket.destroy());
  }

  async #probeDead(): Promise<void> {
    const { server, port } = this.#places.deaf;
    const accepted = once(server, 'connection');
    const socket = this.#holdfast.connect({ port, host: HOST });
    const end = gone(socket);
    await once(socket, 'connect');
    const [peer] = (await accepted) as [Socket];
    const answer = this.#holdfast.probe(socket);
    peer.resetAndDestroy();
    if ((await answer).alive) throw new Error('a dead path was called alive');
    await end;
  }

  async #evict(): Promise<void> {
    const heartbeat = { interval: 20, timeout: 40, send: () => 'PING' };
    await gone(this.#holdfast.connect({ port: this.#places.deaf.port, host: HOST, heartbeat }));
  }

  async #refuse(): Promise<void> {
    const socket = this.#holdfast.connect({ port: this.#places.closedPort, host: HOST });
    socket.write('never');
    await gone(socket);
  }

  /** @param resuming milliseconds that the session's resume hook takes, which belong to the outage */
  async #reconnect(resuming: number): Promise<void> {
    const session = this.#holdfast.createReconnectingSocket({
      port: this.#places.flaky.port,
      host: HOST,
      reconnect: { on: 'any' },
      resume: () => delay(resuming),
    });
    session.write('x');
    await once(session, 'resumed');
    session.destroy();
    await once(session, 'close');
  }
}

/** Whatever error comes before it. */
async function gone(socket: Socket): Promise<void> {
  socket.on('error', () => undefined); // the death that is counted
  await new Promise(resolve => socket.once('close', resolve));
}
