import { formatAddress, type Address } from '../arguments.js';
import { JSON_SCHEMA, toJson } from '../json.js';
import type { Channel, Style } from '../terminal.js';
import { textTable } from '../text-table.js';
import { packageVersion } from '../version.js';
import { conclude, type Conclusion } from './finding.js';
import type { Measurement } from './measure.js';
import type { Fate } from './plan.js';
import { environmentLines, recommend, type Recommendation } from './recommendation.js';
import type { TrialReport } from './trial.js';
import { caveats, fateWords, findingSentence, silenceWords, trialWords } from './words.js';

/** Everything the three forms of the result are made of. */
export interface ProbeReport {
  readonly target: Address & { readonly address: string; readonly tls: boolean };
  readonly measurement: Measurement;
  readonly conclusion: Conclusion;
  readonly recommendation: Recommendation;
  /** Shortest silence first. */
  readonly trials: readonly TrialReport[];
}

export function makeReport(
  target: Address & { readonly tls: boolean },
  measurement: Measurement,
): ProbeReport {
  const conclusion = conclude(measurement);
  return {
    target: { host: target.host, port: target.port, address: measurement.address, tls: target.tls },
    measurement,
    conclusion,
    recommendation: recommend(conclusion),
    trials: [...measurement.trials].sort((a, b) => a.silence - b.silence),
  };
}

const styles: Readonly<Record<Fate, Style>> = {
  survived: 'green',
  reset: 'red',
  silent: 'red',
  closed: 'yellow',
  cut: 'yellow',
  failed: 'dim',
};

export function printReport(report: ProbeReport, out: Channel): void {
  const { target, measurement, conclusion, recommendation } = report;
  out.line(out.paint('bold', formatAddress(target)));
  out.line(findingSentence(conclusion.finding));
  for (const caveat of caveats(conclusion, measurement.interrupted))
    out.line(out.paint('yellow', `(${caveat})`));
  if (report.trials.length > 0) {
    out.line();
    const rows = report.trials.map(trial => [
      silenceWords(trial),
      { text: fateWords[trial.fate], paint: (text: string) => out.paint(styles[trial.fate], text) },
      trialWords(trial),
    ]);
    for (const line of textTable(['silence', 'fate', ''], rows)) out.line(line);
  }
  const lines = environmentLines(recommendation);
  if (lines.length > 0) {
    out.line();
    out.line('Recommended settings:');
    for (const line of lines) out.line(line);
  }
  if (recommendation.notes.length > 0) out.line();
  for (const note of recommendation.notes) out.line(`- ${note}`);
}

export function reportJson(report: ProbeReport): string {
  const { target, measurement, conclusion, recommendation, trials } = report;
  return toJson({
    schema: JSON_SCHEMA,
    command: 'probe',
    version: packageVersion(),
    target,
    finding: rounded(conclusion.finding),
    settled: conclusion.isSettled,
    interrupted: measurement.interrupted,
    contradicted: conclusion.contradicted,
    control: rounded(measurement.control),
    trials: trials.map(({ asked, silence, fate, roundTrip, reason }) =>
      rounded({ asked, silence, fate, roundTrip, reason }),
    ),
    recommendation: { ...recommendation, environment: environmentLines(recommendation) },
    elapsed: Math.round(measurement.elapsed),
  });
}

/** Milliseconds finer than a tenth are noise. */
function rounded<T extends object>(fields: T): T {
  const entries = Object.entries(fields).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === 'number' ? Math.round(value * 10) / 10 : value,
  ]);
  return Object.fromEntries(entries) as T;
}
