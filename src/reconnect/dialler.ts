import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import { rememberVerdict } from '../guard/autopsy.js';
import type { ConnectTarget } from '../guard/connect.js';
import { verdictOf } from '../guard/verdict-of.js';
import type { ResolvedOptions } from '../options/types.js';
import { Attempts, type AttemptsOutcome, type FailedAttempt } from './attempts.js';
import { isRefusedCertificate } from './dial.js';
import type { PendingWrites, ResumeSession } from './events.js';
import { closedEarly, closedError, deadlineError, gaveUpError, hookError } from './failures.js';
import type { Outage, SessionEvent } from './machine.js';
import { retriesFirstConnect } from './policy.js';
import { Trial } from './trial.js';

/** What the dialler needs of its session, and tells it. */
export interface DiallerPort {
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly target: Partial<ConnectTarget>;
  readonly isRefed: boolean;
  readonly pending: PendingWrites;
  /** Opens a physical socket and listens to it. */
  dial(): Socket;
  dispatch(event: SessionEvent): void;
}

/** Makes the attempts of one outage, or of the first connect: one physical socket at a time, until one is taken over. */
export class Dialler {
  readonly #port: DiallerPort;
  readonly #outage: Outage | undefined;
  #attempts: Attempts | undefined;
  #trial: Trial | undefined;
  #socket: Socket | undefined;
  /** Why a failed attempt must not be repeated, where that is so. */
  #final: Error | undefined;

  /** @param outage undefined for the first connect */
  constructor(port: DiallerPort, outage: Outage | undefined) {
    this.#port = port;
    this.#outage = outage;
  }

  /** The candidate: dialled, not taken over yet. */
  get socket(): Socket | undefined {
    return this.#socket;
  }

  /** Set when Node refused the options, which it does before it connects. */
  get final(): Error | undefined {
    return this.#final;
  }

  /** The first connect's first attempt is made at once. */
  start(): void {
    const { clock, options, random, isRefed } = this.#port;
    const attempts = new Attempts({
      clock,
      policy: options.reconnect,
      random,
      of: this.#outage === undefined ? 'first-connect' : 'outage',
      holdsProcess: isRefed,
      attempt: (attempt, delay) => this.#attempt(attempt, delay),
      failed: failure => this.#failed(failure),
    });
    this.#attempts = attempts;
    const since = clock.now();
    void attempts.run().then(outcome => {
      if (attempts === this.#attempts) this.#conclude(outcome, since);
    });
  }

  /** The session is over. */
  stop(): void {
    this.#attempts?.stop();
    this.#attempts = undefined;
    this.fail(closedError('the session was closed'), null);
  }

  setHold(holdsProcess: boolean): void {
    this.#attempts?.setHold(holdsProcess);
    this.#trial?.setHold(holdsProcess);
  }

  /** The candidate is connected, and with TLS verified. */
  isReady(socket: Socket): void {
    const trial = this.#trial;
    if (trial === undefined || socket !== this.#socket) return;
    this.#port.dispatch({ type: 'connected', attempt: trial.attempt, delay: trial.delay });
  }

  /** Runs the resume hook, if there is one, on the candidate. */
  resume(generation: number, { verdict, uncertain }: Outage): void {
    const trial = this.#trial;
    const socket = this.#socket;
    if (trial === undefined || socket === undefined) return;
    trial.phase = 'resume';
    const { options, pending } = this.#port;
    if (options.resume === undefined) return this.#restored();
    const session: ResumeSession = { socket, generation, verdict, pending, uncertain };
    const failed = (error: unknown): void => {
      if (trial === this.#trial) this.fail(hookError(trial, error, this.#port.target), null);
    };
    const restored = (): void => {
      if (trial !== this.#trial) return;
      if (socket.destroyed) this.fail(closedEarly(this.#port.target));
      else this.#restored();
    };
    try {
      // What the session does next may throw into here only by a defect of ours: that is no failure of the hook.
      void Promise.resolve(options.resume(session)).then(restored, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** The session takes the candidate over; the attempt has succeeded. */
  takeOver(): Socket | undefined {
    const socket = this.#socket;
    const trial = this.#trial;
    this.#socket = undefined;
    this.#trial = undefined;
    trial?.succeed();
    return socket;
  }

  /** The candidate was closed. @returns false when it is not the candidate */
  closed(socket: Socket): boolean {
    if (socket !== this.#socket) return false;
    const error = socket.errored ?? undefined;
    if (isRefusedCertificate(socket)) this.#final = error;
    this.fail(error ?? closedEarly(this.#port.target));
    return true;
  }

  /**
   * The attempt under way has failed.
   * @param death what its socket is destroyed with, and its verdict tied to; null where the socket did nothing wrong
   */
  fail(error: Error, death: Error | null = error): void {
    const trial = this.#trial;
    const socket = this.#socket;
    this.#trial = undefined;
    this.#socket = undefined;
    socket?.destroy(death ?? undefined);
    // Node may have destroyed it with an error of its own before: the verdict is the same.
    const verdict = death === null || socket === undefined ? undefined : verdictOf(socket);
    if (verdict !== undefined) rememberVerdict(error, verdict);
    trial?.fail(error);
  }

  #attempt(attempt: number, delay: number): Promise<void> {
    const { options, clock, isRefed } = this.#port;
    const { deadline } = options.reconnect;
    const expired = (): void => {
      const error = deadlineError(trial, deadline, this.#port.target);
      // A hook that hangs says nothing of its connection, which stood.
      this.fail(error, trial.phase === 'resume' ? null : error);
    };
    const trial = new Trial({ attempt, delay, clock, deadline, holdsProcess: isRefed, expired });
    this.#trial = trial;
    try {
      this.#socket = this.#port.dial();
    } catch (error) {
      // Not a failed connection but an option Node refuses: it would refuse it again.
      this.#final = error as Error;
      this.fail(this.#final);
    }
    return trial.settled;
  }

  #failed(failure: FailedAttempt): boolean {
    const isFirst = this.#outage === undefined;
    const another = this.#final === undefined && (!isFirst || this.#isFirstConnectRetried(failure.error));
    if (!isFirst || another) this.#port.dispatch({ type: 'attempt-failed', ...failure });
    return another;
  }

  #isFirstConnectRetried(error: Error): boolean {
    const verdict = verdictOf(error);
    try {
      return verdict !== undefined && retriesFirstConnect(this.#port.options.reconnect.on, verdict);
    } catch (thrown) {
      this.#final = thrown as Error;
      return false;
    }
  }

  #conclude(outcome: AttemptsOutcome, since: number): void {
    this.#attempts = undefined;
    if (outcome.outcome !== 'failed') return;
    const { error, attempts, exhausted } = outcome;
    if (!exhausted) return this.#gaveUp(this.#final ?? error);
    const elapsed = this.#port.clock.now() - since;
    const failed = gaveUpError(this.#port.target, { cause: error, attempts, elapsed });
    // The last attempt's own verdict comes first; a hook's error has none.
    if (this.#outage !== undefined && verdictOf(error) === undefined) {
      rememberVerdict(failed, this.#outage.verdict);
    }
    this.#gaveUp(failed);
  }

  /** The hook is done, or there is none. */
  #restored(): void {
    this.#port.dispatch({ type: 'restored', at: this.#port.clock.now() });
  }

  #gaveUp(error: Error): void {
    this.#port.dispatch({ type: 'gave-up', error });
  }
}
