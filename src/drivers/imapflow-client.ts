import type { Duplex } from 'node:stream';
import { HoldfastError } from '../errors.js';
import { rememberVerdict } from '../guard/autopsy.js';
import type { ClientAdapter, StopWatching } from './adapter.js';
import type { DriverSettings } from './driver-options.js';
import { GuardedClient } from './guarded-client.js';
import type { ImapInside } from './imapflow-types.js';

/** What these resolve with on a lost connection is what their callers wait for. */
const ENDS_BY_ITSELF: ReadonlySet<string> = new Set(['IDLE', 'LOGOUT']);

/** One hardened `ImapFlow`. */
class ImapGuard {
  readonly guarded: GuardedClient<ImapInside>;
  /** The last stream the client had. The driver lets go of it at the end. */
  stream: Duplex | undefined;

  constructor(client: ImapInside, settings: DriverSettings) {
    guards.set(client, this); // the adapter looks it up
    this.stream = client.socket || undefined;
    this.guarded = new GuardedClient(client, imapAdapter, settings);
    this.#watchSocket(client);
    const used = (): void => this.guarded.used();
    client.on('response', used);
    client.on('exists', used);
    // An idle client's error ends the process where nobody listens. Its death is told at the next request.
    client.on('error', () => undefined);
    const run = client.run.bind(client);
    client.run = (command, ...args) => this.#ask(run, command, args);
  }

  /** The driver announces neither its first socket nor the TLS one that STARTTLS puts in its place: it assigns them. */
  #watchSocket(client: ImapInside): void {
    let socket = client.socket;
    Object.defineProperty(client, 'socket', {
      configurable: true,
      enumerable: true,
      get: () => socket,
      set: (next: ImapInside['socket']) => {
        socket = next;
        if (!next) return;
        this.stream = next;
        this.guarded.streamChanged();
      },
    });
  }

  async #ask(run: ImapInside['run'], command: string, args: unknown[]): Promise<unknown> {
    const wasDead = this.#isDead;
    try {
      const answer = await run(command, ...args);
      // The driver makes `false` of a request that lost its connection, and `noop()` even success.
      if (answer === false && this.guarded.isLost && !ENDS_BY_ITSELF.has(command.toUpperCase())) {
        throw new HoldfastError('ERR_HOLDFAST_CLOSED', `the connection was lost under ${command}`);
      }
      return answer;
    } catch (error) {
      throw this.#isDead ? this.#explain(error, wasDead) : error;
    }
  }

  get #isDead(): boolean {
    return this.guarded.isLost || this.stream?.destroyed === true;
  }

  /** The driver says only that there is no connection. What a dead client was asked for was never sent. */
  #explain(error: unknown, wasDead: boolean): unknown {
    if (!(error instanceof Error)) return error;
    if (error !== this.guarded.error) error.cause ??= this.guarded.error;
    const { verdict } = this.guarded;
    if (verdict !== undefined)
      rememberVerdict(error, wasDead ? { ...verdict, delivery: 'never-sent' } : verdict);
    return error;
  }
}

const guards = new WeakMap<ImapInside, ImapGuard>();

/** How the library treats an `ImapFlow`. */
export const imapAdapter: ClientAdapter<ImapInside> = {
  onLost(client, lost): StopWatching {
    const end = (error: unknown): void => {
      stop();
      lost(error);
    };
    const onError = (error: Error): void => end(error);
    const onClose = (): void => end(lossOf(client));
    const stop = (): void => {
      client.removeListener('error', onError);
      client.removeListener('close', onClose);
    };
    client.on('error', onError);
    client.on('close', onClose);
    // It says 'close' once, and may have said it.
    if (client.isClosed) queueMicrotask(onClose);
    return stop;
  },
  async close(client) {
    try {
      if (client.usable) await client.logout();
    } finally {
      client.close();
    }
  },
  async beat(client) {
    const wasIdling = client.idling;
    await client.noop();
    // It ended the IDLE. The driver would take it up again much later.
    if (wasIdling) takeUpIdle(client);
  },
  isIdle({ usable, idling, currentRequest, requestQueue, _openDownloads }) {
    const isWorking =
      Boolean(currentRequest) && !(idling && currentRequest && currentRequest.command === 'IDLE');
    return usable && !isWorking && !requestQueue?.length && !_openDownloads;
  },
  stream: client => guards.get(client)?.stream,
};

/** Listens for news of the mailbox, as soon as nothing else is under way. Lasts until the next request. */
export function takeUpIdle(client: ImapInside): void {
  if (!client.usable || client.idling) return;
  client.idle({ whenFree: true }).catch(() => undefined); // a loss is told by the client itself
}

/** Hardens a client, once. */
export function guardClient(client: ImapInside, settings: DriverSettings): GuardedClient<ImapInside> {
  return (guards.get(client) ?? new ImapGuard(client, settings)).guarded;
}

/** What a client that closed without an error was lost to; undefined: it was ended on this side. */
function lossOf({ closedByClient, byeReason }: ImapInside): unknown {
  if (closedByClient) return undefined;
  const words = byeReason === undefined ? '' : `: ${byeReason}`;
  return new HoldfastError('ERR_HOLDFAST_CLOSED', `the server closed the connection${words}`);
}
