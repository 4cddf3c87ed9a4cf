/**
 * Which silences to try next: a pure function of what was tried so far. Times are milliseconds.
 *
 * A *trial* is one connection left idle for a time and then asked whether its flow still exists. The first round is a
 * ladder: geometric steps from the shortest to the longest silence, all at once. The first loss on it gives a bracket,
 * and later rounds divide that bracket until it is narrow.
 */

/** What became of a trial's connection. */
export type Fate =
  /** The peer answered the probe at the end of the silence. */
  | 'survived'
  /** The probe was answered with a reset. */
  | 'reset'
  /** The probe was not answered. */
  | 'silent'
  /** A FIN came during the silence. */
  | 'closed'
  /** A reset came during the silence, with nobody asking. */
  | 'cut'
  /** There was no silence to measure: not connected, or closed at once, or the server kept talking. */
  | 'failed';

export interface Trial {
  readonly fate: Fate;
  /** How long the connection really was silent: until the probe, or until the FIN or the unasked reset. */
  readonly silence: number;
}

export interface PlanOptions {
  /** The shortest silence worth trying. */
  readonly min: number;
  /** The longest. */
  readonly max: number;
  /** Trials at the same time. */
  readonly slots: number;
}

/** What the trials so far say: the true limit is above `low` and at or below `high`. */
export interface Bracket {
  /** The longest silence survived below `high`; 0 when none was. */
  readonly low: number;
  /** The shortest silence lost; undefined when none was. */
  readonly high: number | undefined;
  /** How the connection at `high` was lost. */
  readonly fate: 'reset' | 'silent' | 'closed' | 'cut' | undefined;
  /** Losses near `high`, itself included: two make it believable. */
  readonly losses: number;
  /** Losses outvoted by at least as many survivals of a longer silence: packet loss, or a path of many minds. */
  readonly contradicted: number;
}

export type Step =
  /** Open `start`, give up `abandon`: trials under way whose answer is already known. */
  | { readonly kind: 'go'; readonly start: readonly number[]; readonly abandon: readonly number[] }
  | { readonly kind: 'done'; readonly abandon: readonly number[] };

type Loss = Trial & { readonly fate: NonNullable<Bracket['fate']> };

const RELATIVE_WIDTH = 0.1;
const NARROWEST_MS = 500;
/** A loss is believed once another trial of about that silence was lost as well. */
const LOSSES_TO_BELIEVE = 2;
/** "About": a server that looks for idle connections now and then may find one when it is twice as old as another. */
const NEAR = { reset: 1.1, silent: 1.1, closed: 2, cut: 2 } as const;
/** A path that contradicts itself again and again would keep the plan going for ever. */
const MOST_TRIALS = 200;
/** Above this ratio of its ends, a bracket is divided geometrically. */
const WIDE_RATIO = 4;

export function bracketOf(trials: readonly Trial[]): Bracket {
  const survived = trials.filter(({ fate }) => fate === 'survived').map(({ silence }) => silence);
  const lost = trials.filter(isLoss).sort((a, b) => a.silence - b.silence);
  const first = lost.findIndex((loss, index) => {
    const against = survived.filter(silence => silence >= loss.silence).length;
    return against < index + 1;
  });
  const standing = first === -1 ? undefined : lost[first];
  const high = standing?.silence;
  const near = high === undefined ? 0 : nearTo(high, standing?.fate);
  return {
    low: Math.max(0, ...survived.filter(silence => high === undefined || silence < high)),
    high,
    fate: standing?.fate,
    losses: first === -1 ? 0 : lost.slice(first).filter(({ silence }) => silence <= near).length,
    contradicted: first === -1 ? lost.length : first,
  };
}

/** Whether the bracket is as narrow as it needs to be: 10 %, or half a second where that is more. */
export function isNarrow({ low, high }: Bracket): boolean {
  return high !== undefined && high - low <= toleranceAt(low);
}

/** Whether the other side ended connections by itself, and so showed the moment. */
export function isDirect({ fate }: Bracket): boolean {
  return fate === 'closed' || fate === 'cut';
}

/** @param running the silences of the trials under way */
export function nextStep(options: PlanOptions, trials: readonly Trial[], running: readonly number[]): Step {
  const bracket = bracketOf(trials);
  const isBelieved = bracket.losses >= LOSSES_TO_BELIEVE;
  const isUseful = (silence: number): boolean => {
    const { low, high } = bracket;
    if (silence <= low) return false;
    if (high === undefined || silence < high) return true;
    // Whoever ends connections unasked will soon end those that were to wait longer, and so confirm it.
    return !isBelieved && (isDirect(bracket) || silence <= nearTo(high, bracket.fate));
  };
  const abandon = running.filter(silence => !isUseful(silence));
  if (running.length > abandon.length) return { kind: 'go', start: [], abandon };
  const slots = slotsLeft(options, trials);
  if (isFinished(options, bracket, isBelieved) || slots === 0 || trials.length >= MOST_TRIALS) {
    return { kind: 'done', abandon };
  }
  return { kind: 'go', start: round(options, bracket, slots, isBelieved), abandon };
}

function isLoss(trial: Trial): trial is Loss {
  return trial.fate !== 'survived' && trial.fate !== 'failed';
}

/** The longest silence whose loss confirms one at `high`. */
function nearTo(high: number, fate: Bracket['fate'] = 'silent'): number {
  return high * NEAR[fate] + NARROWEST_MS;
}

function toleranceAt(low: number): number {
  return Math.max(NARROWEST_MS, low * RELATIVE_WIDTH);
}

/** A connection that failed is not tried again at once: the server may hold no more than the others. */
function slotsLeft({ slots }: PlanOptions, trials: readonly Trial[]): number {
  const failed = trials.filter(({ fate }) => fate === 'failed').length;
  const worked = trials.length > failed;
  return worked && failed < 2 * slots ? Math.max(1, slots - failed) : Math.max(0, slots - failed);
}

function isFinished({ min, max }: PlanOptions, bracket: Bracket, isBelieved: boolean): boolean {
  if (bracket.high === undefined) return bracket.low >= max;
  if (!isBelieved) return false;
  return isDirect(bracket) || isNarrow(bracket) || bracket.high <= min * (1 + RELATIVE_WIDTH);
}

function round(options: PlanOptions, bracket: Bracket, slots: number, isBelieved: boolean): number[] {
  const { low, high } = bracket;
  if (high === undefined) return ladder(Math.max(options.min, low * 1.05), options.max, slots);
  if (isDirect(bracket)) return [high * 1.25 + 1000];
  const isSmall = isNarrow(bracket) || high <= options.min * (1 + RELATIVE_WIDTH);
  const inside = isSmall ? [] : divide(Math.max(low, options.min), high, slots);
  return isBelieved || inside.length >= slots ? inside : [...inside, high * 1.02 + 50];
}

/** From `first` to `last`, both included, in equal ratios of at least 1.15. */
function ladder(first: number, last: number, slots: number): number[] {
  if (slots === 1 || last <= first) return [last];
  const steps = Math.min(slots - 1, Math.max(1, Math.ceil(Math.log(last / first) / Math.log(1.15))));
  return Array.from({ length: steps + 1 }, (_, index) => first * (last / first) ** (index / steps));
}

/** As many silences between the ends as it takes to make each part narrow, or as many as there are slots. */
function divide(low: number, high: number, slots: number): number[] {
  if (high / low > WIDE_RATIO) {
    return ladder(low, high, slots + 2).slice(1, -1);
  }
  const parts = Math.min(slots + 1, Math.max(2, Math.ceil(((high - low) / toleranceAt(low)) * 1.1)));
  return Array.from({ length: parts - 1 }, (_, index) => low + ((high - low) * (index + 1)) / parts);
}
