import { presets } from '../../options/presets.js';
import type { ControlFate } from './control.js';
import type { Measurement } from './measure.js';
import { bracketOf, isDirect, isNarrow, type Bracket } from './plan.js';

/** What a measurement comes to. Milliseconds. */
export type Finding =
  /** No silence up to `survived` was lost. */
  | { readonly kind: 'remembers'; readonly survived: number }
  /** The path forgets an idle flow. */
  | {
      readonly kind: 'forgets';
      readonly low: number;
      readonly high: number;
      readonly estimate: number;
      /** To the next packet it answers with a reset, nothing, or it resets both ends at once when it forgets. */
      readonly then: 'reset' | 'silent' | 'reset-at-expiry';
      /** Whether TCP keepalive alone kept a connection past the limit; undefined where that was not seen. */
      readonly keepaliveHelps: boolean | undefined;
      /** Names of the presets whose timeout lies within the bracket. */
      readonly presets: readonly string[];
    }
  /** The server, or a proxy that counts payload only, ends idle connections. */
  | { readonly kind: 'server-closes'; readonly after: number; readonly how: 'fin' | 'reset' }
  /** Idle connections were reset, and the control says neither by whom. */
  | { readonly kind: 'resets'; readonly after: number }
  /** Nothing could be learned. */
  | { readonly kind: 'unclear'; readonly reason: string };

export interface Conclusion {
  readonly finding: Finding;
  /** Whether the measurement went all the way: narrow enough, and seen more than once. */
  readonly isSettled: boolean;
  /** Losses that other trials contradict: packet loss, or a path that treats flows differently. */
  readonly contradicted: number;
}

/** The control sends at most one keepalive a second: with a shorter limit it proves nothing. */
const SHORTEST_TELLING_MS = 1500;

export function conclude({
  trials,
  control,
  interrupted,
}: Omit<Measurement, 'address' | 'elapsed'>): Conclusion {
  const bracket = bracketOf(trials);
  const { contradicted, losses } = bracket;
  const isSettled =
    !interrupted && (bracket.high === undefined || (losses > 1 && (isDirect(bracket) || isNarrow(bracket))));
  return { finding: find(bracket, trials, control), isSettled, contradicted };
}

function find(bracket: Bracket, trials: Measurement['trials'], control: ControlFate): Finding {
  const { low, high, fate } = bracket;
  if (high === undefined || fate === undefined) {
    if (low > 0) return { kind: 'remembers', survived: low };
    const reason = trials.find(trial => trial.reason !== undefined)?.reason;
    return { kind: 'unclear', reason: reason ?? 'interrupted before any trial had ended' };
  }
  if (fate === 'closed') return { kind: 'server-closes', after: high, how: 'fin' };
  const outlived = controlOutlived(control, high);
  if (fate === 'cut') {
    if (outlived === undefined) return { kind: 'resets', after: high };
    if (!outlived) return { kind: 'server-closes', after: high, how: 'reset' };
    return forgets({ low, high, estimate: high, then: 'reset-at-expiry', keepaliveHelps: true });
  }
  return forgets({ low, high, estimate: (low + high) / 2, then: fate, keepaliveHelps: outlived });
}

function forgets(fields: Omit<Extract<Finding, { kind: 'forgets' }>, 'kind' | 'presets'>): Finding {
  const { low, high } = fields;
  const near = presets.filter(({ idleTimeout }) => idleTimeout >= low * 0.98 && idleTimeout <= high * 1.02);
  return { kind: 'forgets', ...fields, presets: near.map(({ name }) => name) };
}

/** Older than this, the control would have been ended by what ended the trials after `limit`. */
export function clearlyPast(limit: number): number {
  return limit * 1.1 + 1000;
}

/** undefined: it can't be told. */
function controlOutlived(control: ControlFate, limit: number): boolean | undefined {
  if (limit < SHORTEST_TELLING_MS) return undefined;
  if (control.at > clearlyPast(limit)) return true;
  return control.fate === 'alive' ? undefined : false;
}
