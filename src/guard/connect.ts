import * as net from 'node:net';
import * as tls from 'node:tls';
import { HoldfastError } from '../errors.js';
import { nearest } from '../options/nearest.js';
import { renderValue } from '../options/render-value.js';
import type { HoldfastOptions, ResolvedOptions } from '../options/types.js';
import { guardSocket } from './harden.js';
import type { GuardContext } from './socket-guard.js';

/** Where and how to connect: what `net.connect` and `tls.connect` take, in one object with the library's options. */
export type ConnectTarget = net.TcpNetConnectOpts &
  Omit<tls.ConnectionOptions, keyof net.TcpNetConnectOpts | 'path' | 'socket'> & {
    /** `true`, or TLS options: connects with TLS. TLS options may also stand beside it. Default: plain TCP. */
    readonly tls?: boolean | tls.ConnectionOptions | undefined;
  };

export type ConnectOptions = ConnectTarget & HoldfastOptions;

const OWN_KEYS: ReadonlySet<string> = new Set<keyof HoldfastOptions>([
  'preset',
  'keepalive',
  'userTimeout',
  'probeAfterIdle',
  'probeTimeout',
  'learn',
  'heartbeat',
  'reconnect',
  'resume',
  'maxPendingBytes',
  'targets',
  'backend',
  'strict',
]);

/** Takes the library's options and Node's apart. The caller's object is not changed. */
export function splitConnectOptions<Target extends object>(
  options: Target & object,
): { target: Omit<Target, keyof HoldfastOptions>; own: HoldfastOptions } {
  // Callers without types pass anything here.
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    const message = `connect options must be an object with host and port, and got ${given === null ? 'null' : typeof given}`;
    throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
  }
  const own: Record<string, unknown> = {};
  const target: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) (isOwn(key) ? own : target)[key] = value;
  requireTlsOption(target['tls']);
  return { target: target as Omit<Target, keyof HoldfastOptions>, own };
}

/**
 * Whether a key is the library's. One that is nearly so is taken for it too, and then refused with the right name; of
 * Node's own only `keepAlive` comes near.
 */
function isOwn(key: string): boolean {
  return OWN_KEYS.has(key) || (key !== 'keepAlive' && nearest(key, OWN_KEYS) !== undefined);
}

/** A text such as 'no' would be taken for yes. */
function requireTlsOption(tls: unknown): void {
  if (tls === undefined || typeof tls === 'boolean' || (typeof tls === 'object' && tls !== null)) return;
  const message = `connect: tls = ${renderValue(tls)}; allowed: true, false, or an object of TLS options`;
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message);
}

/** net.connect or tls.connect. The socket is returned before it connects. */
export function openSocket(target: ConnectTarget, listener?: () => void): net.Socket {
  const { tls: secure, ...rest } = target;
  if (secure === undefined || secure === false) return net.connect(rest as net.TcpNetConnectOpts, listener);
  const options = { ...rest, ...(secure === true ? {} : secure) } as tls.ConnectionOptions;
  // A certificate is checked against the name asked for; an address has none to send.
  const { host } = target;
  if (options.servername === undefined && host !== undefined && net.isIP(host) === 0)
    options.servername = host;
  return tls.connect(options, listener);
}

/** See `connect` in the package's entry. */
export function connectSocket(
  target: ConnectTarget,
  options: ResolvedOptions,
  context: GuardContext,
  listener?: () => void,
): net.Socket {
  const socket = openSocket(target, listener);
  guardSocket(socket, options, context);
  return socket;
}
