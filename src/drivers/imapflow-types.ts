import type { Duplex } from 'node:stream';

/** The part of an `ImapFlow` client the wrapper leans on. Any version of the driver that has it will do. */
export interface ImapClient {
  /** Connected, logged in, and not yet lost. */
  readonly usable: boolean;
  readonly idling: boolean;
  readonly isClosed: boolean;
  /** Whether `close()` or `logout()` ended it, rather than the server or the network. */
  readonly closedByClient: boolean;
  connect(): Promise<unknown>;
  noop(): Promise<unknown>;
  idle(options?: { readonly whenFree?: boolean }): Promise<unknown>;
  logout(): Promise<unknown>;
  close(): unknown;
  // `never` accepts every signature of the driver's own.
  mailboxOpen(...args: never[]): Promise<ImapMailbox>;
  search(...args: never[]): Promise<unknown>;
  fetchOne(...args: never[]): Promise<unknown>;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: string, listener: (error: Error) => void): unknown;
}

/** What a server told of a mailbox when it was selected. */
export interface ImapMailbox {
  readonly path: string;
  readonly uidValidity: bigint;
  /** Every server should say it, and some don't. */
  readonly uidNext?: number | undefined;
  /** Only with CONDSTORE. */
  readonly highestModseq?: bigint | undefined;
}

/** What {@link ImapClient} is at run time, with the arguments `never` hides and the fields its types leave out. */
export interface ImapInside extends Omit<ImapClient, 'mailboxOpen' | 'search' | 'fetchOne' | 'on'> {
  /** `false` before `connect()`, `null` after the end. */
  socket: Duplex | false | null | undefined;
  /** Every request goes through it. */
  run(command: string, ...args: unknown[]): Promise<unknown>;
  mailboxOpen(path: string, options: { readonly readOnly: boolean }): Promise<ImapMailbox>;
  search(query: object, options: { readonly uid: true }): Promise<unknown>;
  fetchOne(uid: string, query: object, options: { readonly uid: true }): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  /** The server's last words. */
  readonly byeReason?: string | undefined;
  /** The command that was sent and is not answered. */
  readonly currentRequest?: { readonly command: string } | false | null;
  /** Those that wait behind it. */
  readonly requestQueue?: readonly unknown[];
  /** Downloads whose reader has not come to the end. */
  readonly _openDownloads?: number;
}

/** The client as it is at run time; undefined where it is none. */
export function insideOf(value: unknown): ImapInside | undefined {
  return typeof value === 'object' && value !== null && isClient(value) ? value : undefined;
}

function isClient(value: object): value is ImapInside {
  const { usable, run, noop, idle, logout } = value as Partial<ImapInside>;
  return (
    typeof usable === 'boolean' && [run, noop, idle, logout].every(method => typeof method === 'function')
  );
}
