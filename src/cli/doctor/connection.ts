import { createServer, type AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Holdfast } from '../../holdfast.js';
import type { AppliedSettings } from '../../kernel/kernel.js';
import type { HoldfastOptions } from '../../options/types.js';
import type { Address } from '../arguments.js';
import { dial, unreachable } from '../dial.js';
import { CliError } from '../exit-codes.js';
import { pause } from '../pause.js';

/** What a hardened connection to the server came to. Milliseconds. */
export type ConnectionReport =
  | { readonly connected: false; readonly error: string }
  | {
      readonly connected: true;
      readonly address: string | undefined;
      readonly settings: AppliedSettings | undefined;
      /** The kernel's own smoothed figure; undefined where it can't be read. */
      readonly roundTrip: number | undefined;
      /** undefined: there is nothing here that could ask. */
      readonly probe: { readonly alive: boolean; readonly rtt: number | undefined } | undefined;
      /** undefined without TLS. */
      readonly tls: { readonly protocol: string; readonly problem: string | undefined } | undefined;
    };

/** A probe can't be sent earlier; see PathProbe. */
const SHORTEST_SILENCE_MS = 1050;

export async function examineConnection(
  target: Address & { readonly tls: boolean },
  options: HoldfastOptions,
  signal: AbortSignal,
): Promise<ConnectionReport> {
  // What can't be made effective is to be shown here, so it must not end the connection.
  const holdfast = new Holdfast({ ...options, strict: false });
  const socket = await dial({ ...target, signal }).catch((error: unknown) => unreachable(target, error));
  if (socket instanceof CliError) return { connected: false, error: socket.message };
  try {
    const guard = holdfast.harden(socket);
    const { settings } = guard;
    const info = holdfast.readTcpInfo(socket);
    const secured = socket instanceof TLSSocket ? describeTls(socket) : undefined;
    const address = socket.remoteAddress;
    if (info !== undefined) await pause(SHORTEST_SILENCE_MS, signal);
    const probe = info === undefined || signal.aborted ? undefined : await guard.probe();
    return {
      connected: true,
      address,
      settings,
      roundTrip: info?.rtt,
      probe: probe && { alive: probe.alive, rtt: probe.rtt },
      tls: secured,
    };
  } finally {
    socket.on('error', () => undefined); // it served its purpose
    socket.destroy();
  }
}

/** Hardens a connection of this process to itself: what the settings come to on this machine. */
export async function examineLoopback(
  options: HoldfastOptions,
  signal: AbortSignal,
): Promise<AppliedSettings | undefined> {
  const server = createServer(socket => socket.on('error', () => undefined).resume());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const socket = await dial({ host: '127.0.0.1', port, tls: false, signal });
    const { settings } = new Holdfast({ ...options, strict: false }).harden(socket);
    socket.destroy();
    return settings;
  } catch {
    return undefined; // no loopback here: the report says unknown
  } finally {
    server.close();
  }
}

function describeTls(socket: TLSSocket): { protocol: string; problem: string | undefined } {
  // The types promise an Error; Node gives a code as text.
  const reason: unknown = socket.authorizationError;
  const problem = socket.authorized ? undefined : reason instanceof Error ? reason.message : String(reason);
  return { protocol: socket.getProtocol() ?? 'unknown', problem };
}
