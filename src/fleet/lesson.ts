/**
 * What one target taught about how long its path remembers an idle flow. Immutable; the functions below are pure.
 * Silences in milliseconds. The path's real timeout lies above `survived` and at or below `forgotten`.
 */
export interface Lesson {
  readonly host: string;
  readonly port: number;
  /** The longest silence after which a flow still answered; 0: none seen. */
  readonly survived: number;
  /** The shortest silence after which a flow was found forgotten; undefined: none, or taken back. */
  readonly forgotten: number | undefined;
  /** How much speaks for `forgotten`: 1 for each occasion that left no doubt, less for one that did. */
  readonly weight: number;
  /** Occasions in a row that disagreed with `survived`. */
  readonly contradictions: number;
  /** When it last changed, in milliseconds since the epoch. */
  readonly at: number;
}

/** From here on a lesson is acted upon. */
const ENOUGH = 1;
/** From here on it is confirmed, and kept longer. */
const CONFIRMED = 2;
/** So many disagreements in a row, and the path itself has changed. */
const PATH_HAS_CHANGED = 3;
const HOUR = 3_600_000;
const KEPT_MS = 24 * HOUR;
const KEPT_CONFIRMED_MS = 7 * 24 * HOUR;
const SHORTEST_IDLE_MS = 1000;

/**
 * Two silences this close are the same silence: the kernel's timer wheel fires a keepalive up to an eighth of its
 * delay late.
 */
const SLACK_RATIO = 1.125;
const SLACK_MS = 500;

/** Whether `longer` is longer than `silence` beyond all inaccuracy. */
export function clearlyLonger(longer: number, silence: number): boolean {
  return longer > silence * SLACK_RATIO + SLACK_MS;
}

export function newLesson(host: string, port: number, at: number): Lesson {
  return { host, port, survived: 0, forgotten: undefined, weight: 0, contradictions: 0, at };
}

/** A flow answered after this silence. One that outlived the lesson takes the lesson back. */
export function afterSurvival(lesson: Lesson, silence: number, at: number): Lesson {
  const disproved = lesson.forgotten !== undefined && clearlyLonger(silence, lesson.forgotten);
  if (silence <= lesson.survived && !disproved) {
    // As long a silence as ever survives again: the disagreements were outages.
    const repeats = lesson.contradictions > 0 && !clearlyLonger(lesson.survived, silence);
    return repeats ? { ...lesson, contradictions: 0 } : lesson;
  }
  const survived = Math.max(lesson.survived, silence);
  const base = { ...lesson, survived, contradictions: 0 };
  return disproved ? { ...base, forgotten: undefined, weight: 0, at } : base;
}

/**
 * A flow was found forgotten after this silence. Where flows have outlived such a silence it was not the NAT's
 * timeout but a restart or an outage, and teaches nothing; unless it keeps happening.
 */
export function afterEviction(lesson: Lesson, silence: number, weight: number, at: number): Lesson {
  const contradicts = !clearlyLonger(silence, lesson.survived) && lesson.survived > 0;
  if (contradicts && lesson.contradictions + 1 < PATH_HAS_CHANGED) {
    return { ...lesson, contradictions: lesson.contradictions + 1, at };
  }
  const before = contradicts ? { ...lesson, survived: 0, weight: 0, forgotten: undefined } : lesson;
  return {
    ...before,
    forgotten: Math.min(before.forgotten ?? Infinity, silence),
    weight: contradicts ? ENOUGH : before.weight + weight,
    contradictions: 0,
    at,
  };
}

/** The lesson without what is too old to be trusted: paths change, and a lesson that works is never tested. */
export function current(lesson: Lesson, now: number): Lesson {
  const kept = lesson.weight >= CONFIRMED ? KEPT_CONFIRMED_MS : KEPT_MS;
  return now - lesson.at <= kept ? lesson : newLesson(lesson.host, lesson.port, lesson.at);
}

/** The silence a lesson says is fatal; undefined: it says nothing yet. */
export function fatalSilence(lesson: Lesson): number | undefined {
  return lesson.weight >= ENOUGH ? lesson.forgotten : undefined;
}

/** The silence a lesson allows, in whole seconds; undefined: it says nothing yet. */
export function allowedSilence(lesson: Lesson): number | undefined {
  const fatal = fatalSilence(lesson);
  // Half: the flow may have been forgotten well before it was found out.
  return fatal === undefined ? undefined : Math.max(SHORTEST_IDLE_MS, Math.floor(fatal / 2000) * 1000);
}

/**
 * The keepalive idle time a lesson asks for; undefined: what is configured will do. An idle socket's silences are as
 * long as the longer of idle time and interval: that is how Linux repeats an answered keepalive.
 */
export function idleFor(
  lesson: Lesson,
  configured: { readonly idle: number; readonly interval: number },
): number | undefined {
  const allowed = allowedSilence(lesson);
  if (allowed === undefined || allowed >= Math.max(configured.idle, configured.interval)) return undefined;
  return Math.min(allowed, configured.idle);
}
