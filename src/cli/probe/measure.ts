import type { Socket } from 'node:net';
import { systemClock } from '../../clock.js';
import { Holdfast } from '../../holdfast.js';
import { kernelFor, type Kernel } from '../../kernel/kernel.js';
import { platformConstants } from '../../kernel/platform.js';
import type { Address } from '../arguments.js';
import { dial, unreachable } from '../dial.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { pause } from '../pause.js';
import { Control, type ControlFate } from './control.js';

import { clearlyPast } from './finding.js';

import { bracketOf, nextStep, type Bracket, type PlanOptions } from './plan.js';
import { timeLeft } from './time-left.js';
import { runTrial, type TrialPort, type TrialReport } from './trial.js';

export interface MeasureOptions extends Address {
  readonly tls: boolean;
  /** The longest silence to try, in milliseconds. */
  readonly max: number;
  /** Connections open at the same time, the control included. */
  readonly connections: number;
  /** Ends the measurement early; what is known by then is the result. */
  readonly signal: AbortSignal;
  readonly progress?: (progress: Progress) => void;
}

export interface Progress {
  readonly elapsed: number;
  /** A guess. */
  readonly left: number;
  readonly bracket: Bracket;
  /** Connections open now. */
  readonly open: number;
  /** The trial that has just ended. */
  readonly trial: TrialReport | undefined;
}

export interface Measurement {
  /** What the name resolved to; every connection went there. */
  readonly address: string;
  readonly trials: readonly TrialReport[];
  readonly control: ControlFate;
  readonly elapsed: number;
  /** Not finished: `signal` was aborted. */
  readonly interrupted: boolean;
}

/** A keepalive can't be asked for sooner. */
export const SHORTEST_SILENCE_MS = 1000;
const PROGRESS_EVERY_MS = 250;
const CONNECT_EVERY_MS = 20;

/** Measures how long the path remembers an idle flow. Rejects with a CliError where that is impossible. */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const kernel = requireKernel();
  const control = await dial(options).catch((error: unknown) => {
    throw unreachable(options, error);
  });
  return new MeasurementRun(options, kernel, control).run();
}

class MeasurementRun {
  readonly #options: MeasureOptions;
  readonly #plan: PlanOptions;
  readonly #control: Control;
  readonly #address: string;
  readonly #port: TrialPort;
  readonly #startedAt = systemClock.now();
  readonly #running = new Map<symbol, RunningTrial>();
  readonly #trials: TrialReport[] = [];

  constructor(options: MeasureOptions, kernel: Kernel, control: Socket) {
    const { max, connections, port, tls } = options;
    this.#options = options;
    this.#plan = { min: Math.min(SHORTEST_SILENCE_MS, max), max, slots: connections - 1 };
    // Every connection goes to the address the first one found: another one might have another path.
    this.#address = control.remoteAddress ?? options.host;
    this.#port = { holdfast: new Holdfast(), kernel, dial: { host: this.#address, port, tls } };
    this.#control = new Control(control, kernel);
  }

  async run(): Promise<Measurement> {
    const { signal } = this.#options;
    const ticker = setInterval(() => this.#tick(), PROGRESS_EVERY_MS);
    const stopAll = (): void => {
      for (const { stop } of this.#running.values()) stop.abort();
    };
    signal.addEventListener('abort', stopAll);
    try {
      while (!signal.aborted && this.#advance()) {
        await Promise.race([...this.#running.values()].map(({ finished }) => finished));
      }
      await this.#waitForControl();
      return {
        address: this.#address,
        trials: this.#trials,
        control: this.#control.fate,
        elapsed: this.#elapsed(),
        interrupted: signal.aborted,
      };
    } finally {
      clearInterval(ticker);
      signal.removeEventListener('abort', stopAll);
      stopAll();
      await Promise.all([...this.#running.values()].map(({ finished }) => finished));
      this.#control.hangUp();
    }
  }

  /** @returns whether there is anything to wait for */
  #advance(): boolean {
    const running = [...this.#running.values()];
    const step = nextStep(
      this.#plan,
      this.#trials,
      running.map(({ asked }) => asked),
    );
    for (const trial of running) if (step.abandon.includes(trial.asked)) this.#abandon(trial);
    if (step.kind === 'done') return false;
    step.start.forEach((asked, index) => this.#start(asked, index * CONNECT_EVERY_MS));
    return true;
  }

  #start(asked: number, delay: number): void {
    const stop = new AbortController();
    const id = Symbol('trial');
    // The connections don't all knock in the same instant.
    const finished = pause(delay, stop.signal)
      .then(() => runTrial(asked, this.#port, stop.signal))
      .then(report => {
        this.#running.delete(id);
        if (report !== undefined) this.#record(report);
      });
    this.#running.set(id, { id, asked, startedAt: systemClock.now(), stop, finished });
  }

  #abandon({ id, stop }: RunningTrial): void {
    stop.abort();
    this.#running.delete(id);
  }

  #record(trial: TrialReport): void {
    this.#trials.push(trial);
    this.#tell(trial);
  }

  #tick(): void {
    if (bracketOf(this.#trials).high === undefined) this.#control.tune();
    this.#tell(undefined);
  }

  #tell(trial: TrialReport | undefined): void {
    const bracket = bracketOf(this.#trials);
    const now = systemClock.now();
    const waits = [...this.#running.values()].map(({ asked, startedAt }) => startedAt + asked - now);
    this.#options.progress?.({
      elapsed: this.#elapsed(),
      left: timeLeft(this.#plan, bracket, waits),
      bracket,
      open: this.#running.size + (this.#control.fate.fate === 'alive' ? 1 : 0),
      trial,
    });
  }

  /** Does keepalive help? If the control is to share the trials' fate, it does so about now. */
  async #waitForControl(): Promise<void> {
    const { high, fate } = bracketOf(this.#trials);
    const { signal } = this.#options;
    if (fate === 'closed' || high === undefined) return;
    const until = clearlyPast(high) + PROGRESS_EVERY_MS;
    while (!signal.aborted && this.#control.fate.fate === 'alive' && this.#control.fate.at < until) {
      await pause(PROGRESS_EVERY_MS, signal);
    }
  }

  #elapsed(): number {
    return systemClock.now() - this.#startedAt;
  }
}

interface RunningTrial {
  readonly id: symbol;
  readonly asked: number;
  readonly startedAt: number;
  readonly stop: AbortController;
  readonly finished: Promise<void>;
}

function requireKernel(): Kernel {
  const kernel = kernelFor('auto');
  const constants = platformConstants(process.platform, process.arch);
  if (kernel.canRead && constants?.TCP_INFO !== undefined) return kernel;
  const why = kernel.canRead
    ? `${process.platform} has no TCP_INFO`
    : Object.entries(kernel.unavailable)
        .map(([name, reason]) => `${name}: ${reason}`)
        .join('; ');
  throw new CliError(
    exitCodes.unmeasurable,
    `probe needs Linux's TCP_INFO and a binding that reads it: ${why}`,
  );
}
