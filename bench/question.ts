import type { Duplex } from 'node:stream';
import type { ServerAddress, Sample } from './harness/messages.js';

/** What is measured. `bare` is a plain net.Socket or TLSSocket, which every ratio is against. */
export type Contender = 'bare' | 'hardened' | 'reconnecting' | 'corked' | 'set-keepalive' | 'net-keepalive';

/** What the server does with a connection. */
export type ServerMode =
  /** Counts and checks, and says so after each slice. */
  | 'sink'
  /** Sends one slice at each request. */
  | 'source'
  /** Sends everything back. */
  | 'echo';

/** The most a contender's ratio may be; see DESIGN and README for where the aims come from. */
export type Aims = Readonly<Partial<Record<Contender, number>>>;

interface QuestionBase {
  /** As given on the command line. */
  readonly name: string;
  /** What it asks, for the heading. */
  readonly asks: string;
  /** In the order printed; `bare` is not listed, its row is always there. */
  readonly contenders: readonly Contender[];
}

/** Time over one connection, measured in slices that alternate between a contender and a bare socket. */
export interface StreamQuestion extends QuestionBase {
  readonly kind: 'stream';
  readonly tls: boolean;
  readonly mode: ServerMode;
  /** Bytes of one slice, the same for every contender. */
  readonly sliceBytes: number;
  /** What a bare socket did, for the heading of its table. */
  readonly rate: { readonly unit: string; of(milliseconds: number): number };
  readonly aims: Aims;
  /** Readies an open socket; the function returned does one slice and settles when the last byte is checked. */
  prepare(socket: Duplex, job: { contender: Contender; verified: number }): () => Promise<void>;
}

/** Figures taken once a process: memory, or the cost of one call. */
export interface SampleQuestion extends QuestionBase {
  readonly kind: 'sample';
  readonly metrics: readonly { readonly name: string; readonly unit: string; readonly aims?: Aims }[];
  /** What the first row is called and ratios are against, where that is not `bare`. */
  readonly base: Contender;
  sample(contender: Contender, address: ServerAddress, quick: boolean): Promise<Sample>;
}

export type Question = StreamQuestion | SampleQuestion;
