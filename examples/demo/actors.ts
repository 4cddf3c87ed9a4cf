import { once } from 'node:events';
import { connect as bareConnect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, verdictOf, type Verdict } from 'holdfast';
import type { Timeline } from './timeline.js';

export interface Place {
  readonly host: string;
  readonly port: number;
  readonly timeline: Timeline;
  /** 'kernel' or 'emulated': behind a relay keepalives and probes are answered by the relay itself. */
  readonly backend: string;
}

const NO_HELP = { keepalive: { idle: '1h' }, learn: false } as const;

/** What a program has today. */
export async function dialBare({ host, port, timeline }: Place): Promise<Socket> {
  const socket = bareConnect(port, host);
  await once(socket, 'connect');
  await ask(socket, 'bare hello');
  timeline.say('bare', 'connected');
  return socket;
}

/** Kernel keepalive below the NAT's timeout; behind a relay, where only payload counts, a heartbeat. */
export async function dialHardened({ host, port, timeline, backend }: Place): Promise<Socket> {
  const kept =
    backend === 'kernel'
      ? { keepalive: { idle: '1s', interval: '1s' } }
      : { heartbeat: { interval: '1s', send: () => 'ping\n', receive: withoutPong } };
  const socket = connect({ host, port, ...kept });
  await once(socket, 'connect');
  await ask(socket, 'hardened hello');
  timeline.say('hardened', `connected, ${backend === 'kernel' ? 'keepalive' : 'heartbeat'} at 1 s`);
  return socket;
}

/** No help from keepalive: whatever saves this one is the write gate. */
export async function dialGate({ host, port, timeline }: Place): Promise<Socket> {
  const socket = connect({ host, port, ...NO_HELP, probeAfterIdle: '1s' });
  await once(socket, 'connect');
  await ask(socket, 'gate hello');
  timeline.say('gate', 'connected, no keepalive');
  return socket;
}

export type Outcome =
  | { readonly name: 'answered' }
  | { readonly name: 'died'; readonly code: string | undefined; readonly verdict: Verdict | undefined }
  | { readonly name: 'silence' };

/** Writes a line and waits for its answer, for at most `patience` milliseconds. */
export async function ask(socket: Socket, line: string, patience = 4000): Promise<Outcome> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const answered = once(socket, 'data', { signal }); // rejects when the socket dies of an error
    socket.write(`${line}\n`);
    return await Promise.race([
      answered.then((): Outcome => ({ name: 'answered' })),
      delay(patience, undefined, { signal }).then((): Outcome => ({ name: 'silence' })),
    ]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { name: 'died', code, verdict: verdictOf(error) };
  } finally {
    over.abort();
    socket.on('error', () => undefined);
  }
}

export function withoutPong(chunk: Buffer): 'consumed' | undefined {
  return chunk.toString() === 'pong\n' ? 'consumed' : undefined;
}
