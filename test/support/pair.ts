import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';

/** A connected client and the server's end of it. */
export interface Pair {
  readonly client: Socket;
  readonly peer: Socket;
  readonly server: Server;
  /** Destroys both ends and closes the server. */
  close(): Promise<void>;
}

export interface Listening {
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

/** A server on a free port of loopback. Errors of its sockets are the tests' doing and are ignored. */
export async function listen(
  onConnection: (peer: Socket) => void = () => undefined,
  host = '127.0.0.1',
  options: { allowHalfOpen?: boolean; pauseOnConnect?: boolean } = {},
): Promise<Listening> {
  const open = new Set<Socket>();
  const server = createServer(options, peer => {
    open.add(peer);
    peer.on('error', () => undefined);
    peer.on('close', () => open.delete(peer));
    onConnection(peer);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const peer of open) peer.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Connects to a fresh server on loopback. `prepare` sees the client before it connects. */
export async function connectPair(
  options: Partial<NetConnectOpts> & {
    serverOptions?: { allowHalfOpen?: boolean; pauseOnConnect?: boolean };
  } = {},
  prepare: (client: Socket) => void = () => undefined,
): Promise<Pair> {
  const { serverOptions, ...rest } = options;
  let accepted: ((peer: Socket) => void) | undefined;
  const peerPromise = new Promise<Socket>(resolve => (accepted = resolve));
  const { server, port, close } = await listen(peer => accepted?.(peer), '127.0.0.1', serverOptions);
  const client = connect({ host: '127.0.0.1', port, ...rest } as NetConnectOpts);
  client.on('error', () => undefined);
  prepare(client);
  const [peer] = await Promise.all([peerPromise, once(client, 'connect')]);
  return {
    client,
    peer,
    server,
    async close() {
      client.destroy();
      await close();
    },
  };
}

/** The next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
