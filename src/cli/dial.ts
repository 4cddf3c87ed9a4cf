import type { Socket } from 'node:net';
import { openSocket } from '../guard/connect.js';
import { formatAddress, type Address } from './arguments.js';
import { CliError, exitCodes } from './exit-codes.js';

export interface DialOptions extends Address {
  readonly tls: boolean;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

const LONGEST_CONNECT_MS = 10_000;

/**
 * Connects, with TLS until its handshake is done. What the server sends is thrown away, and a certificate is not
 * checked: no byte of the caller's will ever be sent. Rejects with the system's error, or ETIMEDOUT after 10 s.
 */
export function dial({ host, port, tls, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host, port, tls: tls ? { rejectUnauthorized: false } : false });
    const timer = setTimeout(() => fail(timedOut()), LONGEST_CONNECT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', fail).removeListener('close', onClose);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => undefined); // the first error told it all
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new Error('interrupted'));
    const onClose = (): void => fail(new Error('closed before the connection was ready'));
    signal.addEventListener('abort', onAbort);
    socket.on('error', fail).on('close', onClose);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      settle();
      resolve(socket.resume());
    });
    if (signal.aborted) onAbort();
  });
}

function timedOut(): Error {
  const message = `no connection within ${LONGEST_CONNECT_MS / 1000} s`;
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/** The error for a connection that could not be made, in words. */
export function unreachable({ host, port }: Address, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  const help: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nobody listens there',
    ENOTFOUND: 'no such name',
    EAI_AGAIN: 'the name server did not answer',
    ETIMEDOUT: 'no answer',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
  };
  const why = code === undefined ? message : `${help[code] ?? message} (${code})`;
  return new CliError(exitCodes.unreachable, `can't connect to ${formatAddress({ host, port })}: ${why}`, {
    cause: error,
  });
}
