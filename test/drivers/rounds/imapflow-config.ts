import { imapConfig } from '../../support/imap-config.js';
import { url } from './application.js';

/** For `new ImapFlow`. */
export const config = imapConfig(url);

/** A message that is told by its number. */
export function message(n: number): string {
  return `From: lab@example.com\r\nSubject: ${n}\r\n\r\n${n}\r\n`;
}
