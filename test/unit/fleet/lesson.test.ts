import { expect } from 'chai';
import fc from 'fast-check';
import {
  afterEviction,
  afterSurvival,
  current,
  fatalSilence,
  idleFor,
  newLesson,
  type Lesson,
} from '../../../src/fleet/lesson.js';

const fresh = newLesson('db', 5432, 0);
const keepalive = (idle: number): { idle: number; interval: number } => ({ idle, interval: 1000 });
const HOUR = 3_600_000;
const evicted = (silence: number, lesson: Lesson = fresh, at = 0): Lesson =>
  afterEviction(lesson, silence, 1, at);

describe('a lesson', () => {
  it('is taught by one eviction that nothing speaks against', () => {
    const lesson = evicted(60_000);
    expect(fatalSilence(lesson)).to.equal(60_000);
    expect(idleFor(lesson, keepalive(300_000))).to.equal(30_000);
  });

  it('asks for half the shortest fatal silence, in whole seconds', () => {
    expect(idleFor(evicted(9_900), keepalive(30_000))).to.equal(4000);
    expect(idleFor(evicted(40_000, evicted(60_000)), keepalive(30_000))).to.equal(20_000);
    expect(idleFor(evicted(60_000, evicted(40_000)), keepalive(30_000))).to.equal(20_000);
  });

  it('never asks for more than what is configured, nor for less than a second', () => {
    expect(idleFor(evicted(350_000), keepalive(30_000))).to.equal(undefined);
    expect(idleFor(evicted(1200), keepalive(30_000))).to.equal(1000);
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 1e7 }),
        fc.integer({ min: 1000, max: 32_767_000 }),
        (silence, own) => {
          const idle = idleFor(evicted(silence), keepalive(own)) ?? own;
          return (
            idle >= 1000 &&
            idle <= own &&
            (idle === own || idle % 1000 === 0) &&
            (idle <= silence || idle <= 1000)
          );
        },
      ),
    );
  });

  it('is not taught by an eviction after a silence that flows have outlived: that was a restart or an outage', () => {
    const survivor = afterSurvival(fresh, 30_000, 0);
    const lesson = evicted(12_000, survivor);
    expect(fatalSilence(lesson)).to.equal(undefined);
    expect(lesson.survived).to.equal(30_000);
  });

  it('takes two silences within the kernel’s timer inaccuracy for the same one', () => {
    const survivor = afterSurvival(fresh, 30_000, 0);
    expect(fatalSilence(evicted(33_000, survivor))).to.equal(undefined);
    expect(fatalSilence(evicted(36_000, survivor))).to.equal(36_000);
  });

  it('is taken back when a flow clearly outlives the silence thought fatal', () => {
    const lesson = evicted(12_000);
    expect(fatalSilence(afterSurvival(lesson, 13_000, 0))).to.equal(12_000);
    const taken = afterSurvival(lesson, 20_000, 0);
    expect(fatalSilence(taken)).to.equal(undefined);
    expect(fatalSilence(evicted(12_000, taken))).to.equal(undefined);
  });

  it('gives in when the path itself has changed: three disagreements in a row', () => {
    let lesson = afterSurvival(fresh, 300_000, 0);
    lesson = evicted(60_000, lesson);
    lesson = evicted(60_000, lesson);
    expect(fatalSilence(lesson)).to.equal(undefined);
    lesson = evicted(60_000, lesson);
    expect(fatalSilence(lesson)).to.equal(60_000);
    expect(lesson.survived).to.equal(0);
  });

  it('counts disagreements anew when a flow survives as long as ever', () => {
    let lesson = afterSurvival(fresh, 300_000, 0);
    lesson = evicted(60_000, evicted(60_000, lesson));
    lesson = afterSurvival(lesson, 290_000, 0);
    lesson = evicted(60_000, evicted(60_000, lesson));
    expect(fatalSilence(lesson)).to.equal(undefined);
  });

  it('needs two doubtful occasions where it needs one that is clear', () => {
    const once = afterEviction(fresh, 20_000, 0.5, 0);
    expect(fatalSilence(once)).to.equal(undefined);
    expect(fatalSilence(afterEviction(once, 21_000, 0.5, 0))).to.equal(20_000);
  });

  it('is forgotten after a day, a confirmed one after a week', () => {
    const once = evicted(20_000, fresh, HOUR);
    expect(fatalSilence(current(once, 24 * HOUR))).to.equal(20_000);
    expect(fatalSilence(current(once, 26 * HOUR))).to.equal(undefined);
    const twice = evicted(20_000, once, HOUR);
    expect(fatalSilence(current(twice, 26 * HOUR))).to.equal(20_000);
    expect(fatalSilence(current(twice, 170 * HOUR))).to.equal(undefined);
  });

  it('never holds that a survived silence is fatal, whatever happens in whatever order', () => {
    const event = fc.record({ survived: fc.boolean(), silence: fc.integer({ min: 1000, max: 600_000 }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), events => {
        let lesson = fresh;
        for (const { survived, silence } of events) {
          lesson = survived ? afterSurvival(lesson, silence, 0) : evicted(silence, lesson);
          const fatal = fatalSilence(lesson);
          if (fatal !== undefined && lesson.survived > fatal * 1.125 + 500) return false;
        }
        return true;
      }),
    );
  });
});
