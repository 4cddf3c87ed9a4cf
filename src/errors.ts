/** Every code a {@link HoldfastError} can carry. Codes are stable: match on them, not on messages. */
export type HoldfastErrorCode =
  /** One or more options or environment variables are wrong; `problems` lists all of them. */
  | 'ERR_HOLDFAST_OPTIONS'
  /** The argument is not a socket of the kind the call needs. */
  | 'ERR_HOLDFAST_ARGUMENT'
  /** `strict` is on and an option could not be made effective; `settings` says which and why. */
  | 'ERR_HOLDFAST_NOT_EFFECTIVE'
  /** A heartbeat got no reply within its timeout. */
  | 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT'
  /** More bytes are waiting for a resume than `maxPendingBytes` allows; the write was not sent. */
  | 'ERR_HOLDFAST_PENDING_FULL'
  /** This platform, Node or binding can't do what was asked. */
  | 'ERR_HOLDFAST_UNSUPPORTED'
  /** Reconnecting was given up: retries or deadline spent, or the policy said no. */
  | 'ERR_HOLDFAST_RECONNECT_FAILED'
  /** One attempt (DNS, TCP, TLS and resume hook together) took longer than its deadline. */
  | 'ERR_HOLDFAST_DEADLINE'
  /** The resume hook threw or rejected; `cause` is what it threw. */
  | 'ERR_HOLDFAST_RESUME_FAILED'
  /** The session was closed, so the call can't be carried out. */
  | 'ERR_HOLDFAST_CLOSED'
  /** The NAT lab could not be built on this machine; the message names what is missing. */
  | 'ERR_HOLDFAST_LAB';

export interface HoldfastErrorOptions extends ErrorOptions {
  /** Extra own properties a person or a program needs: host, port, phase, attempt, elapsed ... */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error of the library's own. Errors of the operating system keep their class and code. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: HoldfastErrorCode;
  constructor(code: HoldfastErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.details) Object.assign(this, options.details);
  }
}
