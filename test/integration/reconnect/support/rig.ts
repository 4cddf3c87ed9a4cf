import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { systemClock, type Clock } from '../../../../src/clock.js';
import type { GuardContext } from '../../../../src/guard/socket-guard.js';
import { kernelFor } from '../../../../src/kernel/kernel.js';
import { resolveOptions } from '../../../../src/options/resolve.js';
import type { HoldfastOptions } from '../../../../src/options/types.js';
import type { ResumeHook } from '../../../../src/reconnect/events.js';
import {
  createReconnectingSocket,
  type ReconnectingSocket,
} from '../../../../src/reconnect/reconnecting-socket.js';
import type { SessionHooks } from '../../../../src/reconnect/session-setup.js';
import type { ReconnectingTarget } from '../../../../src/reconnect/session-stream.js';
import type { Certificate } from './certificates.js';

export const context: GuardContext = { clock: systemClock, kernel: kernelFor('auto'), hooks: {} };

/** A server on loopback that records what each connection got. */
export class Peer {
  readonly server: Server;
  readonly sockets: Socket[] = [];
  /** What came, one string a connection. */
  readonly received: string[] = [];
  onConnection: ((socket: Socket, index: number) => void) | undefined;
  readonly #raw: Socket[] = [];
  #port = 0;

  constructor(certificate?: Certificate) {
    const accept = (socket: Socket): void => {
      const index = this.sockets.push(socket) - 1;
      this.received.push('');
      socket.on('error', () => undefined); // resets are what these tests are about
      socket.on('data', (chunk: Buffer) => {
        this.received[index] = `${this.received[index] ?? ''}${chunk.toString('latin1')}`;
        this.server.emit('received');
      });
      this.onConnection?.(socket, index);
      this.server.emit('accepted');
    };
    const options = { allowHalfOpen: true };
    // Under TLS these come before their handshake, and must be closed even where it never ends.
    const raw = (socket: Socket): void => void this.#raw.push(socket);
    this.server =
      certificate === undefined
        ? createServer(options, accept)
        : createTlsServer({ ...options, ...certificate }, accept);
    this.server.on('connection', raw);
  }

  get port(): number {
    return this.#port;
  }

  get last(): Socket {
    return this.sockets.at(-1)!;
  }

  /** Listens; again on the same port after {@link close}. */
  async listen(): Promise<this> {
    this.server.listen(this.#port, '127.0.0.1');
    await once(this.server, 'listening');
    this.#port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Waits until the connection of this index has sent at least this. */
  async got(index: number, text: string): Promise<void> {
    while (!this.received[index]?.includes(text)) await once(this.server, 'received');
  }

  async accepted(count: number): Promise<Socket> {
    while (this.sockets.length < count) await once(this.server, 'accepted');
    return this.sockets[count - 1]!;
  }

  /** Resets the TCP connections, under TLS too. */
  resetAll(): void {
    for (const socket of this.#raw.splice(0)) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    for (const socket of this.#raw) socket.destroy();
    return new Promise(resolve => this.server.close(() => resolve()));
  }
}

export type SessionOptions = Partial<ReconnectingTarget> &
  Omit<HoldfastOptions, 'resume'> & {
    readonly resume?: ResumeHook;
    readonly clock?: Clock;
    readonly hooks?: SessionHooks;
  };

/** Splits as the public function does, so that tests can give their options flat. */
function open(options: SessionOptions): ReconnectingSocket {
  const { reconnect, resume, heartbeat, maxPendingBytes, probeAfterIdle, backend, clock, hooks, ...target } =
    options;
  const given = { reconnect, resume, heartbeat, maxPendingBytes, probeAfterIdle, backend };
  const own = { ...context, ...(clock && { clock }), ...(backend && { kernel: kernelFor(backend) }) };
  return createReconnectingSocket(target, resolveOptions(given), own, hooks);
}

/** Peers and sessions of one test, closed after it. Call in a `describe`. */
export function useRig() {
  let peers: Peer[] = [];
  let sessions: ReconnectingSocket[] = [];

  afterEach(async () => {
    for (const session of sessions) {
      session.on('error', () => undefined);
      session.destroy();
    }
    await Promise.all(peers.map(peer => peer.close()));
    [peers, sessions] = [[], []];
  });

  return {
    async listen(certificate?: Certificate): Promise<Peer> {
      const peer = new Peer(certificate);
      peers.push(peer);
      return peer.listen();
    },
    /** A session that answers every death, without waiting, unless told otherwise. */
    session(options: SessionOptions): ReconnectingSocket {
      const reconnect = { on: 'any', minTimeout: 1, ...options.reconnect } as const;
      const session = open({ host: '127.0.0.1', ...options, reconnect });
      sessions.push(session);
      return session;
    },
    /** The same, once it is open. */
    async opened(options: SessionOptions): Promise<ReconnectingSocket> {
      const session = this.session(options);
      await once(session, 'ready');
      return session;
    },
  };
}

/** The names of the session's events as they come. */
export function recordEvents(session: ReconnectingSocket, seen: string[] = []): string[] {
  const names = ['connect', 'ready', 'secureConnect', 'suspended', 'attempted', 'resumed'];
  for (const name of [...names, 'end', 'finish', 'error', 'close']) session.on(name, () => seen.push(name));
  return seen;
}

/** Everything the session's reader gets from now on. */
export function collect(session: ReconnectingSocket): { text: string; until(text: string): Promise<void> } {
  const collected = {
    text: '',
    async until(text: string): Promise<void> {
      while (!collected.text.includes(text)) await once(session, 'data');
    },
  };
  session.on('data', chunk => (collected.text += chunk.toString('latin1')));
  return collected;
}

/** What is thrown with nobody to catch it, while it would otherwise end the process. */
export async function uncaught(cause: () => unknown): Promise<Error> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const thrown = new Promise<Error>(resolve => process.once('uncaughtException', resolve));
  try {
    cause();
    return await thrown;
  } finally {
    for (const listener of others) process.on('uncaughtException', listener);
  }
}

/** Waits until the session's reader takes no more. */
export async function full(session: ReconnectingSocket): Promise<void> {
  while (session.readableLength < session.readableHighWaterMark) await new Promise(setImmediate);
}

/** Waits for 'close'; unlike `once`, an error before it is no failure. */
export function closed(session: ReconnectingSocket): Promise<boolean> {
  return new Promise(resolve => session.once('close', resolve));
}

/** The error a session ends with, once it is closed. */
export async function death(session: ReconnectingSocket): Promise<Error & { code?: string }> {
  let error: Error | undefined;
  session.on('error', thrown => (error = thrown));
  await closed(session);
  if (error === undefined) throw new Error('the session closed without an error');
  return error;
}
