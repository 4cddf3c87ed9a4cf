import { Socket } from 'node:net';

/**
 * The part of Node's private TCP handle the library leans on. This file is the only place that reads private
 * fields of a socket; `test/unit/kernel/handle.test.ts` checks each of them on every supported Node version.
 */
export interface TcpHandle {
  /** The file descriptor; -1 (or another negative number) once closed, and always on Windows. */
  readonly fd?: number;
  /** Bytes read from the descriptor over its life, below TLS. */
  readonly bytesRead?: number;
  setKeepAlive(enable: boolean, delaySeconds?: number, intervalSeconds?: number, count?: number): number;
  getpeername?(out: { address?: string; port?: number }): number;
}

interface SocketInternals {
  readonly _handle?: (Partial<TcpHandle> & { readonly _parent?: Partial<TcpHandle> | null }) | null;
}

/**
 * The TCP handle under a socket, below TLS where there is TLS. undefined before the socket connects, after it is
 * closed, and for what is not TCP: a Unix socket, a pipe, TLS over a JavaScript stream.
 */
export function tcpHandle(socket: Socket): TcpHandle | undefined {
  const handle = (socket as unknown as SocketInternals)._handle;
  const lowest = handle?._parent ?? handle;
  return typeof lowest?.setKeepAlive === 'function' ? (lowest as TcpHandle) : undefined;
}

/** The handle's descriptor, or undefined where it has none (Windows) or no longer has one. */
export function descriptor(handle: TcpHandle): number | undefined {
  const { fd } = handle;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

/** The peer's address, asked of the kernel without leaving a copy on the socket object. */
export function peerName(handle: TcpHandle): { readonly address: string; readonly port: number } | undefined {
  const out: { address?: string; port?: number } = {};
  if (handle.getpeername?.(out) !== 0 || out.address === undefined || out.port === undefined)
    return undefined;
  return { address: out.address, port: out.port };
}

/** The name a socket was asked to connect to, where Node kept it. */
export function hostName(socket: Socket): string | undefined {
  const { _host, _parent, servername } = socket as unknown as {
    _host?: unknown;
    _parent?: unknown;
    servername?: unknown;
  };
  if (typeof _host === 'string') return _host;
  if (typeof servername === 'string' && servername !== '') return servername;
  // TLS over a raw socket: the raw one was given the name.
  return _parent instanceof Socket ? hostName(_parent) : undefined;
}
