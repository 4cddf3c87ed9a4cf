import { HoldfastError } from '../errors.js';
import type { Clock } from '../clock.js';
import { current, newLesson, type Lesson } from './lesson.js';
import { readLessons, type LessonsJson } from './lessons-json.js';
import { nameOf, parseTargetName, type TargetName } from './registry.js';

/** Targets remembered; past it the one not seen longest is forgotten. */
const MOST_LESSONS = 512;

/** What an instance's targets taught about their paths. Lives in memory: `export` and `import` carry it further. */
export class Lessons {
  readonly #clock: Clock;
  /** In the order of last use. */
  readonly #byName = new Map<string, Lesson>();
  readonly #changed: (host: string, port: number) => void;

  /** @param changed called for each target whose lesson was imported or forgotten by a caller */
  constructor(clock: Clock, changed: (host: string, port: number) => void = () => undefined) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** What a target taught; undefined where it taught nothing, or nothing recent. */
  of(target: TargetName): Lesson | undefined {
    const { host, port } = parseTargetName(target, 'lessons.of');
    return this.find({ host, port });
  }

  /** Every lesson as plain JSON, for a file or a cache that outlives the process. */
  export(): LessonsJson {
    const now = this.#clock.wall();
    const lessons = [...this.#byName.values()].map(lesson => current(lesson, now));
    return {
      version: 1,
      lessons: lessons.filter(({ survived, forgotten }) => survived > 0 || forgotten !== undefined),
    };
  }

  /**
   * Takes over what another process exported. Where both know a target, the newer lesson stays. Live sockets of
   * those targets are retuned at once.
   *
   * @param json what `export` gave, parsed
   * @returns how many lessons were taken over
   * @throws HoldfastError ERR_HOLDFAST_ARGUMENT that lists everything wrong with `json`; then nothing was taken over
   */
  import(json: unknown): number {
    const { lessons, problems } = readLessons(json, this.#clock.wall());
    if (problems.length > 0) {
      const message = `lessons.import: ${problems.join('; ')}`;
      throw new HoldfastError('ERR_HOLDFAST_ARGUMENT', message, { details: { problems } });
    }
    let taken = 0;
    for (const lesson of lessons) {
      const known = this.#byName.get(nameOf(lesson));
      if (known !== undefined && known.at >= lesson.at) continue;
      this.put(lesson);
      this.#changed(lesson.host, lesson.port);
      taken++;
    }
    return taken;
  }

  /** Forgets what one target taught, or all; live sockets go back to their configured keepalive. */
  forget(target?: TargetName): void {
    const gone =
      target === undefined ? [...this.#byName.values()] : [parseTargetName(target, 'lessons.forget')];
    for (const { host, port } of gone) {
      if (this.#byName.delete(nameOf({ host, port }))) this.#changed(host, port);
    }
  }

  /** @internal Without counting as use. */
  find(target: { readonly host: string; readonly port: number }): Lesson | undefined {
    const known = this.#byName.get(nameOf(target));
    if (known === undefined) return undefined;
    const lesson = current(known, this.#clock.wall());
    return lesson.survived > 0 || lesson.weight > 0 || lesson.contradictions > 0 ? lesson : undefined;
  }

  /** @internal The lesson to change: an empty one where there is none. */
  draft(target: { readonly host: string; readonly port: number }): Lesson {
    return this.find(target) ?? newLesson(target.host, target.port, this.#clock.wall());
  }

  /** @internal */
  put(lesson: Lesson): void {
    const name = nameOf(lesson);
    this.#byName.delete(name);
    this.#byName.set(name, lesson);
    if (this.#byName.size <= MOST_LESSONS) return;
    for (const oldest of this.#byName.keys()) {
      this.#byName.delete(oldest);
      return;
    }
  }
}
