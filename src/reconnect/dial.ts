import type { OnReadOpts, Socket } from 'node:net';
import { inspect } from 'node:util';
import { TLSSocket } from 'node:tls';
import { HoldfastError } from '../errors.js';
import { openSocket, type ConnectTarget } from '../guard/connect.js';
import { guardSocket } from '../guard/harden.js';
import type { GuardContext } from '../guard/socket-guard.js';
import type { ResolvedOptions } from '../options/types.js';

export interface DialOptions {
  readonly target: ConnectTarget;
  readonly options: ResolvedOptions;
  readonly context: GuardContext;
  /** Absent: the socket is an ordinary readable one. */
  readonly onread: OnReadOpts | undefined;
  /** The TLS session of the generation before. */
  readonly tlsSession: Buffer | undefined;
}

/** Opens a hardened physical socket for one generation. What net.connect and tls.connect throw, this throws. */
export function dial({ target, options, context, onread, tlsSession }: DialOptions): Socket {
  const socket = openSocket({
    ...target,
    // The session decides what follows the peer's FIN, not the physical socket.
    allowHalfOpen: true,
    ...(onread === undefined ? {} : { onread }),
    ...(tlsSession === undefined ? {} : { session: tlsSession }),
  });
  guardSocket(socket, options, context);
  return socket;
}

/** The event that says a socket can be used: with TLS not before the peer is verified. */
export function readyEvent(socket: Socket): 'connect' | 'secureConnect' {
  return socket instanceof TLSSocket ? 'secureConnect' : 'connect';
}

/** Whether the peer's certificate was refused: trying again can't help. */
export function isRefusedCertificate(socket: Socket): boolean {
  // null until a certificate was checked and when it is accepted, whatever the types say.
  return (
    socket instanceof TLSSocket && (socket.authorizationError as Error | string | null | undefined) != null
  );
}

const NOT_TAKEN: Readonly<Record<string, string>> = {
  onread: 'the session reads for you: listen to "data"',
  path: 'only TCP connections can be lost to a NAT',
  socket: 'each generation needs a new connection: give host and port',
  fd: 'each generation needs a new connection: give host and port',
  handle: 'each generation needs a new connection: give host and port',
};

const HIGHEST_PORT = 65_535;

/** @throws HoldfastError ERR_HOLDFAST_ARGUMENT for what a socket that reconnects can't take */
export function requireDiallable(target: { readonly port?: unknown }): void {
  const { port } = target;
  const number = typeof port === 'string' && port.trim() !== '' ? Number(port) : port;
  // Node refuses these too, but leaves a handle behind.
  if (
    port !== undefined &&
    !(Number.isInteger(number) && Number(number) >= 0 && Number(number) <= HIGHEST_PORT)
  ) {
    const message = `port must be an integer from 0 to ${HIGHEST_PORT}, and is ${inspect(port)}`;
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
  }
  for (const [key, why] of Object.entries(NOT_TAKEN)) {
    if ((target as Record<string, unknown>)[key] === undefined) continue;
    const message = `createReconnectingSocket() does not take '${key}': ${why}`;
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
  }
}
