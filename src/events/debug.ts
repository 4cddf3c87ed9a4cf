import { debuglog } from 'node:util';

/** `NODE_DEBUG=holdfast`: the only thing the library ever prints. No payloads, no credentials. */
export const debug = debuglog('holdfast');
