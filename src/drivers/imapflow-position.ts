import type { ImapMailbox } from './imapflow-types.js';

/** How far a mailbox has been read. */
export interface MailboxPosition {
  /** The server's numbering, which `uidNext` is part of. */
  readonly uidValidity: bigint;
  /** The lowest UID that has not been given out. */
  readonly uidNext: number;
  /** With CONDSTORE: flags changed since are those with a higher number. From the last time the mailbox was selected. */
  readonly highestModseq?: bigint | undefined;
}

/** Past everything that is in a mailbox when it is selected. Where the server does not tell, `lastUid` does. */
export function endOf(mailbox: ImapMailbox, lastUid = 0): MailboxPosition {
  const { uidValidity, uidNext, highestModseq } = mailbox;
  return { uidValidity, uidNext: uidNext ?? lastUid + 1, highestModseq };
}

/** Before everything in a mailbox. */
export function startOf({ uidValidity }: ImapMailbox): MailboxPosition {
  return { uidValidity, uidNext: 1 };
}

/** Whether a mailbox, as it was when selected, may hold messages that lie past a position of the same numbering. */
export function mayHoldNews(mailbox: ImapMailbox, position: MailboxPosition): boolean {
  // A UID is used once, and in ascending order (RFC 9051, section 2.3.1.1).
  if (mailbox.uidNext !== undefined) return mailbox.uidNext > position.uidNext;
  // Every arrival has a higher one than all before it (RFC 7162, section 3.1).
  if (mailbox.highestModseq === undefined) return true;
  return mailbox.highestModseq !== position.highestModseq;
}
