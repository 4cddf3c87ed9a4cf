import type { Clock } from '../clock.js';
import type { Target } from '../guard/verdict.js';
import { wantedOf } from '../guard/wanted.js';
import type { Bucket } from './bucket.js';
import {
  afterEviction,
  afterSurvival,
  allowedSilence,
  fatalSilence,
  idleFor,
  type Lesson,
} from './lesson.js';
import type { Lessons } from './lessons.js';
import { weightOf, type Occasion } from './occasion.js';

export interface LearnedEvent {
  readonly target: Pick<Target, 'host' | 'port'>;
  /** The longest silence after which a flow still answered, ms; 0: none seen. */
  readonly survived: number;
  /** The shortest silence after which a flow was found forgotten, ms. */
  readonly forgotten: number;
  /** The silence that keepalive now allows, ms; sockets configured to less keep theirs. */
  readonly idle: number;
  /** Live sockets whose keepalive was changed. */
  readonly retuned: number;
}

/** A lesson was taken back: a flow outlived the silence that was thought fatal. */
export interface UnlearnedEvent {
  readonly target: Pick<Target, 'host' | 'port'>;
  readonly survived: number;
  readonly retuned: number;
}

interface TeacherReports {
  learned(event: LearnedEvent): void;
  unlearned(event: UnlearnedEvent): void;
}

/** A connection within this time of a silent death shows that the path itself was up. Less than a SYN's first retry. */
const AT_ONCE_MS = 1000;
const MOST_DOUBTS = 64;
/** Sockets retuned in one go: each costs a dozen system calls. */
const SLICE = 256;

/** Turns what occasions show into lessons, and lessons into keepalive. */
export class Teacher {
  readonly #clock: Clock;
  readonly #lessons: Lessons;
  readonly #reports: TeacherReports;
  /** Targets whose last occasion left a doubt that a prompt connection would remove. */
  readonly #doubtful = new Map<string, { readonly silence: number; readonly until: number }>();

  constructor(clock: Clock, lessons: Lessons, reports: TeacherReports) {
    this.#clock = clock;
    this.#lessons = lessons;
    this.#reports = reports;
  }

  /** A burst is over. */
  conclude(bucket: Bucket, occasion: Occasion): void {
    if (occasion.survived > 0) this.survived(bucket, occasion.survived);
    if (occasion.diedActive > 0 || occasion.forgotten.length === 0) return;
    const silence = Math.min(...occasion.forgotten.map(each => each.silence));
    const weight = weightOf(occasion);
    if (weight < 1) {
      if (this.#doubtful.size >= MOST_DOUBTS) this.#doubtful.clear();
      this.#doubtful.set(bucket.name, { silence, until: this.#clock.now() + AT_ONCE_MS });
    }
    this.#evicted(bucket, silence, weight);
  }

  /** A flow to the target answered after this silence. */
  survived(bucket: Bucket, silence: number): void {
    const lesson = this.#lessons.find(bucket);
    if (lesson !== undefined && lesson.survived >= silence && lesson.contradictions === 0) return;
    const draft = this.#lessons.draft(bucket);
    this.#put(bucket, draft, afterSurvival(draft, silence, this.#clock.wall()));
  }

  /** A new socket to the target has its connection. */
  connected(bucket: Bucket): void {
    if (this.#doubtful.size === 0) return;
    const doubt = this.#doubtful.get(bucket.name);
    if (doubt === undefined) return;
    this.#doubtful.delete(bucket.name);
    if (this.#clock.now() <= doubt.until) this.#evicted(bucket, doubt.silence, 0.5);
  }

  /** Sets the keepalive of the target's live sockets to what its lesson says. @returns how many were changed */
  retune(bucket: Bucket): number {
    const lesson = this.#lessons.find(bucket);
    const due = bucket.guards().flatMap(guard => {
      const { options, settings } = guard;
      if (!options.learn || settings === undefined) return [];
      const idle = lesson === undefined ? undefined : idleFor(lesson, options.keepalive);
      const wanted = wantedOf(options, idle);
      const isTuned = guard.wanted.idle === wanted.idle && guard.wanted.interval === wanted.interval;
      return isTuned ? [] : [{ guard, idle }];
    });
    const slice = (from: number): void => {
      for (const { guard, idle } of due.slice(from, from + SLICE)) guard.retune(idle);
      if (from + SLICE < due.length) this.#clock.after(0, () => slice(from + SLICE));
    };
    slice(0);
    return due.length;
  }

  #evicted(bucket: Bucket, silence: number, weight: number): void {
    const draft = this.#lessons.draft(bucket);
    this.#put(bucket, draft, afterEviction(draft, silence, weight, this.#clock.wall()));
  }

  #put(bucket: Bucket, before: Lesson, after: Lesson): void {
    if (after === before) return;
    this.#lessons.put(after);
    const fatal = fatalSilence(after);
    if (fatal === fatalSilence(before)) return;
    const retuned = this.retune(bucket);
    const target = { host: bucket.host, port: bucket.port };
    const { survived } = after;
    if (fatal === undefined) return this.#reports.unlearned({ target, survived, retuned });
    const idle = allowedSilence(after) ?? fatal;
    this.#reports.learned({ target, survived, forgotten: fatal, idle, retuned });
  }
}
