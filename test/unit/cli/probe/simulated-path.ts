import {
  bracketOf,
  nextStep,
  type Bracket,
  type Fate,
  type PlanOptions,
  type Trial,
} from '../../../../src/cli/probe/plan.js';

/** A path, or a server, that ends idle connections. Milliseconds. */
export interface SimulatedPath {
  /** The true limit. */
  readonly limit: number;
  readonly mode: 'reset' | 'silent' | 'closed' | 'cut';
  /** What timers and round trips add; a function of the trial's number. */
  readonly late: (trial: number) => number;
  /** Trials (by number) whose probe gets lost though the flow stands. */
  readonly lost?: ReadonlySet<number>;
}

interface Running {
  readonly asked: number;
  readonly outcome: Trial;
  readonly endsAt: number;
}

export interface Simulation {
  readonly bracket: Bracket;
  readonly trials: readonly Trial[];
  /** The most connections open at the same time. */
  readonly mostOpen: number;
  /** Milliseconds from the first trial to the last answer. */
  readonly took: number;
}

/** Follows the planner's steps against a path, in virtual time. */
export function simulate(options: PlanOptions, path: SimulatedPath): Simulation {
  const trials: Trial[] = [];
  let running: Running[] = [];
  let [now, started, mostOpen] = [0, 0, 0];
  for (let steps = 0; steps < 10_000; steps++) {
    const step = nextStep(
      options,
      trials,
      running.map(({ asked }) => asked),
    );
    running = running.filter(({ asked }) => !step.abandon.includes(asked));
    if (step.kind === 'done') return { bracket: bracketOf(trials), trials, mostOpen, took: now };
    for (const asked of step.start) running.push(attempt(path, asked, started++, now));
    mostOpen = Math.max(mostOpen, running.length);
    const next = running.sort((a, b) => a.endsAt - b.endsAt).shift();
    if (next === undefined) throw new Error('the planner waits for nothing');
    now = next.endsAt;
    trials.push(next.outcome);
  }
  throw new Error('the planner does not end');
}

function attempt(path: SimulatedPath, asked: number, number: number, now: number): Running {
  const silence = asked + path.late(number);
  const ends = (fate: Fate, at: number): Running => ({
    asked,
    outcome: { fate, silence: at },
    endsAt: now + at,
  });
  if (path.lost?.has(number) === true) return ends('silent', silence);
  if (silence <= path.limit) return ends('survived', silence);
  const byItself = path.mode === 'closed' || path.mode === 'cut';
  return ends(path.mode, byItself ? path.limit + path.late(number) : silence);
}
