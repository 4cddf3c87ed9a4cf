import type { Contender } from '../question.js';

/** What the processes of one measurement say to each other over their IPC channels. */

/** Given to a server process on its command line. */
export interface ServerJob {
  readonly tls: boolean;
}

/** A server's answer to 'address'. */
export interface ServerAddress {
  readonly port: number;
  /** PEM of the certificate to trust; absent without TLS. */
  readonly ca?: string;
}

/** Given to a client process on its command line. */
export interface ClientJob {
  readonly question: string;
  readonly contender: Contender;
  readonly address: ServerAddress;
  /** Slices run before timing, compared byte by byte. */
  readonly warmUp: number;
  /** Smaller amounts where a question allows it. */
  readonly quick: boolean;
}

/** One slice of work, timed inside the process that did it. */
export interface SliceTime {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of processor time of the whole process, garbage collection and its threads included. */
  readonly cpu: number;
}

/** A client's answer to 'sample': one figure a metric. */
export type Sample = Readonly<Record<string, number>>;

export type ServerRequest = 'address' | 'cpu';
export type ClientRequest = 'open' | 'slice' | 'sample';

export type Reply = { readonly value: unknown } | { readonly failure: string };
