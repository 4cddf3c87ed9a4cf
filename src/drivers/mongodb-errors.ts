import { verdictOf } from '../guard/verdict-of.js';

const NETWORK = /^Mongo(Network|ServerSelection|PoolCleared|NotConnected)/;
/** The cursor is gone, or its server is no longer one to ask: shutting down, stepping down, recovering. */
const LOSSES: ReadonlySet<unknown> = new Set([43, 91, 189, 10107, 11600, 11602, 13435, 13436]);
/** The server itself says that a change stream can go on. */
const RESUMABLE = 'ResumableChangeStreamError';

/** Whether another cursor can go on where this one failed. Anything else is a refusal. */
export function isCursorLost(error: unknown): boolean {
  if (verdictOf(error) !== undefined) return true;
  const { name, code, errorLabels } = error as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly errorLabels?: unknown;
  };
  if (code === 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT' || LOSSES.has(code)) return true;
  if (Array.isArray(errorLabels) && errorLabels.includes(RESUMABLE)) return true;
  return typeof name === 'string' && NETWORK.test(name);
}
