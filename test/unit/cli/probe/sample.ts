import type { Measurement } from '../../../../src/cli/probe/measure.js';
import type { Fate } from '../../../../src/cli/probe/plan.js';
import { makeReport, type ProbeReport } from '../../../../src/cli/probe/report.js';
import type { TrialReport } from '../../../../src/cli/probe/trial.js';

export function trial(silence: number, fate: Fate, extra: Partial<TrialReport> = {}): TrialReport {
  return {
    asked: silence,
    silence,
    fate,
    roundTrip: fate === 'survived' ? 3.2 : undefined,
    reason: undefined,
    ...extra,
  };
}

export function measurement(trials: readonly TrialReport[], extra: Partial<Measurement> = {}): Measurement {
  return {
    address: '192.0.2.7',
    trials,
    control: { fate: 'alive', at: 10 * 60_000 },
    elapsed: 10 * 60_000,
    interrupted: false,
    ...extra,
  };
}

export function reportOf(trials: readonly TrialReport[], extra: Partial<Measurement> = {}): ProbeReport {
  return makeReport({ host: 'db.internal', port: 5432, tls: false }, measurement(trials, extra));
}

/** A path that forgets after 350 s and resets. */
export const forgetting: readonly TrialReport[] = [
  trial(358_000, 'reset'),
  trial(1000, 'survived'),
  trial(60_000, 'survived'),
  trial(342_000, 'survived'),
  trial(371_000, 'reset'),
];
