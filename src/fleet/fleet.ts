import type { Clock } from '../clock.js';
import type { ProbeOutcome } from '../guard/path-probe.js';
import type { SocketGuard } from '../guard/socket-guard.js';
import type { Evidence, Target, Verdict } from '../guard/verdict.js';
import { TCP_CLOSE, TCP_ESTABLISHED } from '../kernel/tcp-info.js';
import type { Bucket } from './bucket.js';
import { evidenceOf } from './fleet-evidence.js';
import { fatalSilence, idleFor, type Lesson } from './lesson.js';
import type { Lessons } from './lessons.js';
import {
  newOccasion,
  noteAnswer,
  noteDeath,
  RECENT_MS,
  survivedByKeepalive,
  type Occasion,
} from './occasion.js';
import { parseTargetName, Registry, type TargetName } from './registry.js';
import { isProbeable, look, probeTogether, type Candidate, type SweepResult } from './sweep.js';
import { Teacher, type LearnedEvent, type UnlearnedEvent } from './teacher.js';
import { WakeWatch } from './wake-watch.js';

/** Why a sweep ran: after an eviction, after the process slept, or because somebody asked. */
export type SweepReason = 'eviction' | 'wake' | 'request';

export interface SweptEvent extends SweepResult {
  /** undefined: all targets. */
  readonly target: Pick<Target, 'host' | 'port'> | undefined;
  readonly reason: SweepReason;
  /** Milliseconds from the first probe to the last answer. */
  readonly elapsed: number;
}

export interface FleetReports {
  swept(event: SweptEvent): void;
  learned(event: LearnedEvent): void;
  unlearned(event: UnlearnedEvent): void;
}

type SweptSocket = Parameters<typeof noteAnswer>[0] & Candidate;

/** After a sweep, deaths of the same burst start no other one for this long. */
const QUIET_MS = 1000;
/** Silence is no proof right away: a path that blinked, or a network that is coming up after a sleep, gets more time. */
const PATIENCE_MS: Readonly<Record<SweepReason, number | undefined>> = {
  eviction: 1000,
  wake: 3000,
  request: undefined,
};

/** The live guarded sockets of one instance: sweeps them, and learns from how they die. */
export class Fleet {
  readonly #clock: Clock;
  readonly #lessons: Lessons;
  readonly #reports: FleetReports;
  readonly #registry = new Registry();
  readonly #teacher: Teacher;
  readonly #watch: WakeWatch;
  /** The burst each target is in, if any, by the target's name: its bucket may be emptied and made anew meanwhile. */
  readonly #occasions = new Map<string, Occasion>();
  /** When each target's last burst ended. */
  readonly #quietSince = new Map<string, number>();

  constructor(clock: Clock, lessons: Lessons, reports: FleetReports) {
    this.#clock = clock;
    this.#lessons = lessons;
    this.#reports = reports;
    this.#teacher = new Teacher(clock, lessons, reports);
    this.#watch = new WakeWatch(
      clock,
      () => void this.#sweep(this.#registry.all(), undefined, 'wake'),
      () => this.#prune(),
    );
  }

  /** Probes the sockets of a target, or all, and destroys the dead ones. @throws HoldfastError ERR_HOLDFAST_ARGUMENT */
  sweep(target?: TargetName): Promise<SweepResult> {
    if (target === undefined) return this.#sweep(this.#registry.all(), undefined, 'request');
    const named = parseTargetName(target, 'sweep');
    return this.#sweep(this.#registry.find(named), named, 'request');
  }

  /** Retunes the live sockets of a target to what its lesson says now. */
  retune(host: string, port: number): void {
    const bucket = this.#registry.bucketOf({ host, port });
    if (bucket !== undefined) this.#teacher.retune(bucket);
  }

  // ---- what guards tell ----

  /** A socket is connected and its settings are applied. */
  joined(guard: SocketGuard): void {
    const seat = this.#registry.add(guard);
    if (seat === undefined || !guard.options.learn) return;
    this.#watch.start();
    const { host, port } = seat.bucket;
    if (seat.isNew) this.#teacher.connected(seat.bucket);
    const lesson = this.#lessons.find({ host, port });
    const idle = lesson === undefined ? undefined : idleFor(lesson, guard.options.keepalive);
    if (idle !== undefined) guard.retune(idle);
  }

  /** A socket was released by its owner. */
  left(guard: SocketGuard): void {
    this.#registry.remove(guard);
    if (this.#registry.isEmpty) this.#watch.stop();
  }

  died(guard: SocketGuard, verdict: Verdict): void {
    const bucket = this.#registry.bucketOf(guard.target);
    this.left(guard);
    if (bucket === undefined || verdict.tcpInfo === undefined) return;
    const running = this.#occasions.get(bucket.name);
    if (running !== undefined) return noteDeath(running, verdict, guard);
    const evicted = verdict.cause === 'nat-eviction' || verdict.cause === 'path-timeout';
    if (!evicted || !guard.options.learn) return;
    if (this.#clock.now() - (this.#quietSince.get(bucket.name) ?? -Infinity) < QUIET_MS) return;
    const occasion = newOccasion(true);
    noteDeath(occasion, verdict, guard);
    void this.#sweep([bucket], bucket, 'eviction', occasion);
  }

  /** @param silence how long the peer had been silent when it was asked */
  probed({ target, options }: SocketGuard, outcome: ProbeOutcome, silence: number | undefined): void {
    if (outcome.outcome !== 'alive' || silence === undefined || silence < RECENT_MS || !options.learn) return;
    const bucket = this.#registry.bucketOf(target);
    if (bucket !== undefined) this.#teacher.survived(bucket, silence);
  }

  evidence(target: Target | undefined, silence: number | undefined): readonly Evidence[] {
    const bucket = this.#registry.bucketOf(target);
    const lesson = target === undefined ? undefined : this.#lessons.find(target);
    const occasion = bucket === undefined ? undefined : this.#occasions.get(bucket.name);
    return evidenceOf({ bucket, lesson, occasion, silence });
  }

  knownTimeouts(
    target: Target | undefined,
  ): readonly { readonly name: string; readonly idleTimeout: number }[] {
    const lesson: Lesson | undefined = target === undefined ? undefined : this.#lessons.find(target);
    const fatal = lesson === undefined ? undefined : fatalSilence(lesson);
    return lesson === undefined || fatal === undefined
      ? []
      : [{ name: `the path to ${lesson.host}:${lesson.port}, as learned,`, idleTimeout: fatal }];
  }

  // ---- private ----

  async #sweep(
    buckets: readonly Bucket[],
    target: Pick<Target, 'host' | 'port'> | undefined,
    reason: SweepReason,
    started?: Occasion,
  ): Promise<SweepResult> {
    const startedAt = this.#clock.now();
    const mine = new Map<Bucket, Occasion>();
    for (const bucket of buckets) {
      const occasion = started ?? newOccasion(reason !== 'wake');
      if (started !== undefined || !this.#occasions.has(bucket.name)) mine.set(bucket, occasion);
    }
    for (const [bucket, occasion] of mine) this.#occasions.set(bucket.name, occasion);
    const candidates = buckets.flatMap(bucket => this.#candidates(bucket, reason));
    const result = await probeTogether(candidates, PATIENCE_MS[reason], noteAnswer);
    for (const [bucket, occasion] of mine) {
      this.#occasions.delete(bucket.name);
      this.#calmDown(bucket.name);
      if (occasion.teaches) this.#teacher.conclude(bucket, occasion);
    }
    const elapsed = this.#clock.now() - startedAt;
    this.#reports.swept({ target: target && plain(target), reason, elapsed, ...result });
    return result;
  }

  /** The sockets worth probing; what the others show is noted on the way. */
  #candidates(bucket: Bucket, reason: SweepReason): SweptSocket[] {
    const occasion = this.#occasions.get(bucket.name) ?? newOccasion(false);
    // The kernel's clock stands still while the machine sleeps, so after a sleep its silences mean nothing.
    const least = reason === 'wake' ? 0 : RECENT_MS;
    const found: SweptSocket[] = [];
    for (const guard of bucket.guards()) {
      const seen = look(guard);
      if (seen === undefined) continue;
      const { info, silence } = seen;
      if (info.state === TCP_ESTABLISHED) {
        if (silence < RECENT_MS) occasion.lived++;
        const outlived = survivedByKeepalive(info, guard.wanted);
        occasion.survived = Math.max(occasion.survived, outlived);
      }
      if (info.state === TCP_CLOSE && silence < RECENT_MS) occasion.diedActive++;
      if (isProbeable(seen, least)) found.push({ guard, silence, occasion });
    }
    return found;
  }

  #calmDown(name: string): void {
    const now = this.#clock.now();
    for (const [each, since] of this.#quietSince) {
      if (now - since >= QUIET_MS) this.#quietSince.delete(each);
    }
    this.#quietSince.set(name, now);
  }

  #prune(): void {
    this.#registry.prune();
    if (this.#registry.isEmpty) this.#watch.stop();
  }
}

function plain({ host, port }: Pick<Target, 'host' | 'port'>): Pick<Target, 'host' | 'port'> {
  return { host, port };
}
