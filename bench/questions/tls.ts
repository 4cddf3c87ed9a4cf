import type { StreamQuestion } from '../question.js';
import { bulkDownload } from './bulk-download.js';
import { bulkUpload } from './bulk-upload.js';
import { pingPong } from './ping-pong.js';
import { pipe } from './pipe.js';
import { pipelinedWrites } from './pipelined-writes.js';

/** The same over TLS, certificate verified. Reconnecting may be as fast as bare; plain TCP's gains are not asked. */
export const overTls: readonly StreamQuestion[] = [
  bulkUpload,
  bulkDownload,
  pingPong,
  pipelinedWrites,
  pipe,
].map(question => ({
  ...question,
  name: `tls-${question.name}`,
  asks: `over TLS: ${question.asks}`,
  tls: true,
  aims: { hardened: 1.01, reconnecting: 1.01 },
}));
