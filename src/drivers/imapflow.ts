import { resolveDriverOptions, type DriverOptions } from './driver-options.js';
import { guardClient } from './imapflow-client.js';
import { Mailbox, type MailboxOptions, type SupervisedMailbox } from './imapflow-mailbox.js';
import { insideOrThrow } from './imapflow-supervise.js';
import type { ImapClient } from './imapflow-types.js';

/**
 * Hardens an `ImapFlow` and returns the same object. Connected or not; before is better, so that the connecting is
 * covered too.
 *
 * - Its socket is hardened, TLS and STARTTLS included.
 * - Unless a request is under way, a NOOP is sent now and then (`heartbeat`), and IDLE is taken up again at once. That
 *   counts as use: the server's own limit on idle sessions will not end it.
 * - The death of an idle client does not end the process. The next request rejects, with the verdict; `noop()` does
 *   too, which in the bare driver reports success.
 *
 * An `ImapFlow` can't be connected twice: for a session that goes on use {@link superviseMailbox} or `supervise`.
 * Hardening the same object again changes nothing.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT (not an ImapFlow), ERR_HOLDFAST_OPTIONS
 * @example
 * const client = harden(new ImapFlow({ host: 'imap.example.com', secure: true, auth }));
 * await client.connect();
 */
export function harden<T extends ImapClient>(client: T, options?: Omit<DriverOptions, 'retries'>): T {
  const settings = resolveDriverOptions(options);
  guardClient(insideOrThrow(client, 'harden() takes an ImapFlow client'), settings);
  return client;
}

/**
 * The messages that arrive in a mailbox, each one once, in order, for as long as you iterate: the mailbox is held in
 * IDLE, and when the connection is lost it is opened again on another one and asked for what came meanwhile.
 *
 * Goes by UIDVALIDITY and UIDNEXT, and by HIGHESTMODSEQ where a server keeps UIDNEXT to itself. A server that numbers a
 * mailbox anew (another UIDVALIDITY) makes all messages in it arrive again: see `onRenumbered`.
 *
 * Leaving the loop, or `close()`, ends the session. Don't select another mailbox on its client.
 *
 * @throws HoldfastError ERR_HOLDFAST_ARGUMENT, ERR_HOLDFAST_OPTIONS
 * @throws (while iterating) what ended the session for good, such as a wrong password; what the server refused
 * @example
 * const inbox = superviseMailbox({ open: () => new ImapFlow(config), query: { envelope: true } });
 * for await (const { message, position } of inbox) {
 *   console.log(message.envelope?.subject);
 *   await store(position); // `since` of the next program run
 * }
 */
export function superviseMailbox<C extends ImapClient>(options: MailboxOptions<C>): SupervisedMailbox<C> {
  return new Mailbox(options);
}

export { supervise } from './imapflow-supervise.js';
export type { DriverHeartbeat, DriverOptions } from './driver-options.js';
export type { Arrival, MailboxOptions, MailboxPosition, SupervisedMailbox } from './imapflow-mailbox.js';
export type { ImapSuperviseOptions } from './imapflow-supervise.js';
export type { ImapClient, ImapMailbox } from './imapflow-types.js';
export type { Supervised, SupervisedEvents, SuperviseOptions } from './supervise.js';
