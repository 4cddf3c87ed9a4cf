import type { ServerMode } from '../question.js';

/** The first bytes of a measured connection: what the client wants of the server. */
export interface Header {
  readonly mode: ServerMode;
  readonly sliceBytes: number;
  /** Slices the server compares byte by byte. */
  readonly verified: number;
}

export const HEADER_BYTES = 128;

/** One byte: the header is read, or a whole slice arrived as sent. */
export const ACKNOWLEDGEMENT = Buffer.from('R');

export function headerBytes(header: Header): Buffer {
  return Buffer.from(JSON.stringify(header).padEnd(HEADER_BYTES));
}

export function readHeader(bytes: Buffer): Header {
  return JSON.parse(bytes.toString()) as Header;
}
