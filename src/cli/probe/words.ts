import { formatDuration } from '../../options/durations.js';
import type { Conclusion, Finding } from './finding.js';
import type { Fate } from './plan.js';
import type { TrialReport } from './trial.js';

/** What each fate is called, here and in the page. */
export const fateWords: Readonly<Record<Fate, string>> = {
  survived: 'survived',
  reset: 'reset by the probe',
  silent: 'no answer',
  closed: 'closed (FIN)',
  cut: 'reset while idle',
  failed: 'failed',
};

/** Milliseconds with as much precision as a person wants: tenths below a minute. */
export function shortDuration(ms: number): string {
  const step = ms < 1000 ? 1 : ms < 60_000 ? 10 : 100;
  return formatDuration(Math.round(ms / step) * step);
}

/** The finding as one sentence. */
export function findingSentence(finding: Finding): string {
  switch (finding.kind) {
    case 'remembers':
      return `The path remembers an idle flow for at least ${shortDuration(finding.survived)}: nothing was lost.`;
    case 'forgets':
      return `The path forgets an idle flow after about ${shortDuration(finding.estimate)} (${bounds(finding)}), and ${thenWords[finding.then]}.`;
    case 'server-closes':
      return `Server closed: it ends an idle connection after ${shortDuration(finding.after)} (${finding.how === 'fin' ? 'FIN' : 'RST'}). It is not a NAT: up to then the path kept the flow.`;
    case 'resets':
      return `Idle connections are reset after ${shortDuration(finding.after)}; whether by the path or by the server could not be told.`;
    case 'unclear':
      return `Nothing could be measured: ${finding.reason}.`;
  }
}

/** How long a trial's connection was silent; nothing to say of one that failed. */
export function silenceWords({ fate, silence }: TrialReport): string {
  return fate === 'failed' ? '-' : shortDuration(silence);
}

/** What weakens the finding. */
export function caveats({ isSettled, contradicted, finding }: Conclusion, interrupted: boolean): string[] {
  const found: string[] = [];
  if (interrupted) found.push('interrupted: this is what was known by then');
  else if (!isSettled && finding.kind !== 'unclear') found.push('seen once only, or not narrowed down');
  if (contradicted > 0) {
    found.push(
      `${contradicted} lost, though longer silences survived: packet loss, or flows are treated differently`,
    );
  }
  return found;
}

export function trialWords({ fate, reason, roundTrip }: TrialReport): string {
  if (reason !== undefined) return reason;
  return fate === 'survived' && roundTrip !== undefined ? `answered within ${Math.ceil(roundTrip)} ms` : '';
}

const thenWords = {
  reset: 'answers its next packet with a reset',
  silent: 'swallows its packets without an answer',
  'reset-at-expiry': 'resets both ends at that moment',
} as const;

function bounds({ low, high, then }: Extract<Finding, { kind: 'forgets' }>): string {
  if (then === 'reset-at-expiry') return 'seen directly';
  return low === 0
    ? `at most ${shortDuration(high)}`
    : `between ${shortDuration(low)} and ${shortDuration(high)}`;
}
