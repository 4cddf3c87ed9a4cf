import type { ImapFlowOptions } from 'imapflow';
import { url } from './application.js';

/** For `new ImapFlow`. */
export const config: ImapFlowOptions = {
  host: url.hostname,
  port: Number(url.port),
  secure: false,
  doSTARTTLS: false,
  auth: { user: url.username, pass: url.password },
  logger: false,
};

/** A message that is told by its number. */
export function message(n: number): string {
  return `From: lab@example.com\r\nSubject: ${n}\r\n\r\n${n}\r\n`;
}
