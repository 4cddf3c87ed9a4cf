import { HoldfastError } from '../errors.js';
import { takeUpIdle } from './imapflow-client.js';
import { endOf, mayHoldNews, startOf, type MailboxPosition } from './imapflow-position.js';
import { insideOrThrow, superviseOpened, type ImapSuperviseOptions } from './imapflow-supervise.js';
import type { ImapClient, ImapInside, ImapMailbox } from './imapflow-types.js';
import type { ResumedClient, Supervised } from './supervise.js';

export type { MailboxPosition } from './imapflow-position.js';

/** One message that arrived. */
export interface Arrival<C extends ImapClient> {
  readonly uid: number;
  /** What `query` asked for, as `client.fetchOne` gives it. */
  readonly message: Exclude<Awaited<ReturnType<C['fetchOne']>>, false | undefined>;
  /** The client that fetched it, for more. It may be lost at any time. */
  readonly client: C;
  /** To be stored once the message is dealt with: what a later program run gives as `since`. */
  readonly position: MailboxPosition;
}

/** What `superviseMailbox` takes: the options of `supervise`, and what concerns the mailbox. */
export interface MailboxOptions<C extends ImapClient> extends Omit<ImapSuperviseOptions<C>, 'resume'> {
  /** Runs on each client after the first, with the mailbox selected. `since`: how far it had been read. */
  readonly resume?:
    ((client: C, resumed: ResumedClient & { readonly since: MailboxPosition }) => unknown) | undefined;
  /** Default: INBOX. */
  readonly mailbox?: string | undefined;
  /** Opens the mailbox so that fetching leaves no flag behind (EXAMINE). Default: false. */
  readonly readOnly?: boolean | undefined;
  /** What to fetch of each message. Default: UID, envelope, flags and internal date. */
  readonly query?: Parameters<C['fetchOne']>[1] | undefined;
  /** Where to start. Default: what arrives after the mailbox was first opened. */
  readonly since?: MailboxPosition | undefined;
  /** The server has numbered the mailbox anew. What is in it arrives, whether or not it did before. */
  readonly onRenumbered?: ((before: MailboxPosition, now: MailboxPosition) => unknown) | undefined;
}

/** A mailbox held in IDLE. Several loops over it share its messages. */
export interface SupervisedMailbox<C extends ImapClient> extends AsyncIterable<Arrival<C>> {
  /** The session under it, for its events and for `run`. */
  readonly session: Supervised<C>;
  /** How far the mailbox has been given out; undefined until it was first opened, unless `since` was given. */
  readonly position: MailboxPosition | undefined;
  /** Ends the session and the iteration. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_QUERY = { uid: true, envelope: true, flags: true, internalDate: true };

/** See {@link SupervisedMailbox}. */
export class Mailbox<C extends ImapClient> implements SupervisedMailbox<C> {
  readonly session: Supervised<C>;
  readonly #path: string;
  readonly #readOnly: boolean;
  readonly #query: object;
  readonly #onRenumbered: MailboxOptions<C>['onRenumbered'];
  /** What each client was told when it selected the mailbox, until that was looked at. */
  readonly #selected = new WeakMap<C, ImapMailbox>();
  /** Clients that were told of news which was not looked at. */
  readonly #stirred = new WeakSet<C>();
  readonly #arrivals: AsyncGenerator<Arrival<C>, void, undefined>;
  #position: MailboxPosition | undefined;
  #end: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(options: MailboxOptions<C>) {
    const { mailbox = 'INBOX', readOnly = false, query, since, onRenumbered, resume, ...own } = options;
    this.#path = mailbox;
    this.#readOnly = readOnly;
    this.#query = (query as object | undefined) ?? DEFAULT_QUERY;
    this.#onRenumbered = onRenumbered;
    this.#position = since;
    const supervised: ImapSuperviseOptions<C> = {
      ...own,
      resume: (client, resumed) => {
        const position = this.#position;
        return position === undefined ? undefined : resume?.(client, { ...resumed, since: position });
      },
    };
    this.session = superviseOpened(supervised, client => this.#select(client));
    this.session.on('lost', () => this.#wake());
    this.session.on('closed', end => {
      this.#end = end;
      this.#wake();
    });
    this.#arrivals = this.#iterate();
  }

  get position(): MailboxPosition | undefined {
    return this.#position;
  }

  close(): Promise<void> {
    return this.session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Arrival<C>> {
    return this.#arrivals;
  }

  async #select(given: C): Promise<void> {
    const client = inside(given);
    client.on('exists', () => {
      this.#stirred.add(given);
      this.#wake();
    });
    const mailbox = await client.mailboxOpen(this.#path, { readOnly: this.#readOnly });
    // The driver keeps its own copy up to date.
    const { path, uidValidity, uidNext, highestModseq } = mailbox;
    this.#selected.set(given, { path, uidValidity, uidNext, highestModseq });
    if (this.#position === undefined) {
      const lastUid = uidNext === undefined ? (await uidsFrom(client, '*')).at(-1) : undefined;
      this.#position = endOf(mailbox, lastUid);
    }
    takeUpIdle(client);
  }

  async *#iterate(): AsyncGenerator<Arrival<C>, void, undefined> {
    try {
      for (;;) {
        const client = await this.session.run(given => given);
        try {
          yield* this.#news(client);
        } catch (error) {
          // Lost under the work: what is left is for the next client.
          if (client.usable) throw error;
        }
        await this.#quiet(client);
      }
    } catch (error) {
      if (this.#end === undefined) throw error;
      if (this.#end.error !== undefined) throw this.#end.error as Error;
    } finally {
      await this.close();
    }
  }

  /** Everything in the mailbox that has not been given out. */
  async *#news(given: C): AsyncGenerator<Arrival<C>, void, undefined> {
    const client = inside(given);
    const selected = this.#selected.get(given);
    this.#selected.delete(given);
    if (selected !== undefined && mayHoldNews(selected, this.#reconcile(selected))) this.#stirred.add(given);
    while (this.#stirred.delete(given)) {
      const first = this.#position?.uidNext ?? 1;
      // `n:*` matches the last message even where its UID is below n.
      for (const uid of (await uidsFrom(client, `${first}:*`)).filter(found => found >= first)) {
        const message = await client.fetchOne(String(uid), this.#query, { uid: true });
        if (!message && !client.usable) throw lostUnder('FETCH');
        const position = this.#advance(uid);
        // Where there is none, somebody has expunged it.
        if (message) yield { uid, message: message as Arrival<C>['message'], client: given, position };
      }
    }
    if (selected !== undefined && this.#position !== undefined) {
      this.#position = { ...this.#position, highestModseq: selected.highestModseq };
    }
    takeUpIdle(client);
  }

  /** Where to go on in a mailbox that was selected again. */
  #reconcile(selected: ImapMailbox): MailboxPosition {
    const before = this.#position ?? endOf(selected);
    if (before.uidValidity === selected.uidValidity) return before;
    const now = startOf(selected);
    this.#position = now;
    this.#onRenumbered?.(before, now);
    return now;
  }

  #advance(uid: number): MailboxPosition {
    const { uidValidity = 0n, highestModseq } = this.#position ?? {};
    this.#position = { uidValidity, uidNext: uid + 1, highestModseq };
    return this.#position;
  }

  /** Resolves when the client has news, or is not the one in use any more. */
  async #quiet(client: C): Promise<void> {
    while (this.session.current === client && !this.#stirred.has(client)) {
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }
}

/** UIDs in ascending order. */
async function uidsFrom(client: ImapInside, range: string): Promise<number[]> {
  const found = await client.search({ uid: range }, { uid: true });
  if (Array.isArray(found)) return found.map(Number).sort((a, b) => a - b);
  if (!client.usable) throw lostUnder('SEARCH');
  throw new HoldfastError(
    'ERR_HOLDFAST_ARGUMENT',
    'holdfast/imapflow: the server refused to search the mailbox',
  );
}

function lostUnder(command: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_CLOSED', `the connection was lost under ${command}`);
}

function inside(client: ImapClient): ImapInside {
  return insideOrThrow(client, 'superviseMailbox(): `open` must return an ImapFlow client');
}
