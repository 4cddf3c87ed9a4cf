import type { Duplex } from 'node:stream';

/** Milliseconds, or a string with a unit such as `'30s'`, `'500ms'`, `'2m'`. */
export type Duration = number | string;

export interface KeepaliveOptions {
  /**
   * Silence after which the kernel sends its first keepalive. TCP_KEEPIDLE, 1 s to 32767 s, rounded up to whole
   * seconds. Default 30 s.
   */
  readonly idle?: Duration | undefined;
  /** Time between unanswered keepalives. TCP_KEEPINTVL, 1 s to 32767 s, rounded up to whole seconds. Default 10 s. */
  readonly interval?: Duration | undefined;
  /** Unanswered keepalives after which the connection is dead. TCP_KEEPCNT, 1 to 127. Default 3. */
  readonly count?: number | undefined;
}

/** Application payload sent on an idle connection, for balancers that do not count TCP keepalives. */
export interface HeartbeatOptions {
  /**
   * Silence from the peer after which a beat is sent. Any received byte counts as life. Required, unless `preset`
   * names a device that counts payload only and so brings an interval with it.
   */
  readonly interval?: Duration | undefined;
  /** Time the peer has to answer a beat with any byte. Default: the interval, at most 10 s. */
  readonly timeout?: Duration | undefined;
  /** Sends one beat: returns the bytes to write, or writes by itself and returns nothing. */
  readonly send: (socket: Duplex) => Uint8Array | string | undefined;
  /**
   * Looks at each received chunk while a beat is outstanding. Returns `'consumed'` when the chunk was a reply to
   * the beat and must not reach the reader, a Buffer with what is left once the reply is cut out, or nothing
   * to pass the chunk on unchanged.
   */
  readonly receive?: ((chunk: Buffer) => 'consumed' | Buffer | undefined) | undefined;
}

export interface ReconnectOptions<V = unknown> {
  /**
   * Which deaths are answered by a new connection: `'nat'` (evictions and silent paths), `'any'` (all but a local
   * close), or a function of the verdict. Default `'nat'`.
   */
  readonly on?: 'nat' | 'any' | ((verdict: V) => boolean) | undefined;
  /** Attempts after the first of one outage. Default Infinity. */
  readonly retries?: number | undefined;
  /** First backoff delay. Default 100 ms, less where `maxTimeout` is set to less. */
  readonly minTimeout?: Duration | undefined;
  /** Longest backoff delay, at least `minTimeout`. Default 30 s, more where `minTimeout` is set to more. */
  readonly maxTimeout?: Duration | undefined;
  /** Growth of the delay from one attempt to the next, 1 to 10. Default 2. */
  readonly factor?: number | undefined;
  /** Time one attempt may take, DNS, TCP, TLS and resume hook together. Default 30 s. */
  readonly deadline?: Duration | undefined;
}

export type BackendName = 'auto' | 'node' | 'koffi' | 'net-keepalive';

/** Everything a caller may set. Every field is optional; see the option table in docs/options.md. */
export interface HoldfastOptions {
  readonly preset?: string | undefined;
  readonly keepalive?: KeepaliveOptions | undefined;
  readonly userTimeout?: Duration | false | undefined;
  readonly probeAfterIdle?: Duration | false | undefined;
  readonly probeTimeout?: Duration | undefined;
  readonly learn?: boolean | undefined;
  readonly heartbeat?: HeartbeatOptions | undefined;
  // The verdict and session types live above this layer; the public entry narrows both.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly reconnect?: ReconnectOptions<any> | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly resume?: ((session: any) => unknown) | undefined;
  readonly maxPendingBytes?: number | undefined;
  readonly targets?: string | readonly string[] | undefined;
  readonly backend?: BackendName | undefined;
  readonly strict?: boolean | undefined;
}

/** Options after validation: every duration in milliseconds, every default filled in, frozen. */
export interface ResolvedOptions {
  readonly preset: string | undefined;
  readonly keepalive: { readonly idle: number; readonly interval: number; readonly count: number };
  readonly userTimeout: number | false;
  readonly probeAfterIdle: number | false;
  /** undefined: derived from the measured round trip. */
  readonly probeTimeout: number | undefined;
  readonly learn: boolean;
  readonly heartbeat: ResolvedHeartbeat | undefined;
  readonly reconnect: ResolvedReconnect;
  readonly resume: ((session: unknown) => unknown) | undefined;
  readonly maxPendingBytes: number;
  readonly targets: readonly string[];
  readonly backend: BackendName;
  readonly strict: boolean;
}

export interface ResolvedHeartbeat {
  readonly interval: number;
  readonly timeout: number;
  readonly send: HeartbeatOptions['send'];
  readonly receive: HeartbeatOptions['receive'];
}

export interface ResolvedReconnect {
  readonly on: 'nat' | 'any' | ((verdict: unknown) => boolean);
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
  readonly factor: number;
  readonly deadline: number;
}

/** One thing wrong with one option. */
export interface OptionProblem {
  /** The option's path, such as `keepalive.idle`. */
  readonly key: string;
  /** What was given, rendered for a person, at most 80 characters. */
  readonly value: string;
  /** What is allowed, such as `1s to 32767s`. */
  readonly range: string;
  /** Where it came from: `options`, `call options`, or the environment variable's name. */
  readonly origin: string;
  /** A hint, such as the nearest known name. */
  readonly hint?: string;
}
