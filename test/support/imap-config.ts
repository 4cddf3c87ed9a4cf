import type { ImapFlowOptions } from 'imapflow';

/** For `new ImapFlow`: the server, user and password of the URL, without TLS. */
export function imapConfig(url: URL): ImapFlowOptions {
  return {
    host: url.hostname,
    port: Number(url.port),
    secure: false,
    doSTARTTLS: false,
    auth: { user: url.username, pass: url.password },
    logger: false,
  };
}
