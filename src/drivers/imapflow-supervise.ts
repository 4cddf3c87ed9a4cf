import { HoldfastError } from '../errors.js';
import { resolveDriverOptions, type DriverOptions } from './driver-options.js';
import { guardClient, imapAdapter } from './imapflow-client.js';
import { insideOf, type ImapClient, type ImapInside } from './imapflow-types.js';
import {
  supervise as superviseClients,
  type OpenAttempt,
  type SuperviseOptions,
  type Supervised,
} from './supervise.js';

/** What `supervise` of holdfast/imapflow takes: hooks, reconnect options, and what `harden` takes. */
export type ImapSuperviseOptions<C extends ImapClient> = Omit<
  SuperviseOptions<C>,
  'adapter' | 'heartbeat' | 'holdfast'
> &
  Omit<DriverOptions, 'retries'>;

/**
 * A client that is replaced when it is lost. `open` makes one, for the first time and after each loss; it need not
 * connect it, and must not give the same one twice. Each client is hardened, before it is connected.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS
 * @example
 * const session = supervise({ open: () => new ImapFlow(config) });
 * await session.run(client => client.append('Sent', message));
 */
export function supervise<C extends ImapClient>(options: ImapSuperviseOptions<C>): Supervised<C> {
  return superviseOpened(options, () => undefined);
}

/** {@link supervise}, where each client has gone through `prepare` before it counts as open. */
export function superviseOpened<C extends ImapClient>(
  options: ImapSuperviseOptions<C>,
  prepare: (client: C) => unknown,
): Supervised<C> {
  const { open, resume, reconnect, ...own } = options;
  const { holdfast } = resolveDriverOptions(own);
  return superviseClients<C>({
    open: async attempt => {
      const client = await open(attempt);
      guardClient(inside(client), resolveDriverOptions(own));
      await connect(client, prepare, attempt);
      return client;
    },
    resume,
    reconnect,
    holdfast,
    adapter: {
      onLost: (client, lost) => imapAdapter.onLost(inside(client), lost),
      close: client => imapAdapter.close(inside(client)),
      stream: client => imapAdapter.stream?.(inside(client)),
    },
  });
}

async function connect<C extends ImapClient>(
  client: C,
  prepare: (client: C) => unknown,
  { signal }: OpenAttempt,
): Promise<void> {
  const stop = (): void => void client.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    if (!client.usable) await client.connect();
    await prepare(client);
  } catch (error) {
    client.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function inside(client: ImapClient): ImapInside {
  return insideOrThrow(client, 'supervise(): `open` must return an ImapFlow client');
}

/** @throws HoldfastError ERR_HOLDFAST_ARGUMENT */
export function insideOrThrow(client: ImapClient, claim: string): ImapInside {
  const found = insideOf(client);
  if (found !== undefined) return found;
  throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', `holdfast/imapflow: ${claim}`);
}
