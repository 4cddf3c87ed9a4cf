import { expect } from 'chai';
import { HoldfastError } from '../../../src/errors.js';
import { afterEviction, newLesson } from '../../../src/fleet/lesson.js';
import { Lessons } from '../../../src/fleet/lessons.js';
import { FakeClock } from '../../support/fake-clock.js';

function taught(lessons: Lessons, host: string, silence: number, at: number): void {
  lessons.put(afterEviction(newLesson(host, 5432, at), silence, 1, at));
}

describe('lessons', () => {
  let clock: FakeClock;
  let changed: string[];
  let lessons: Lessons;

  beforeEach(() => {
    clock = new FakeClock();
    changed = [];
    lessons = new Lessons(clock, (host, port) => changed.push(`${host}:${port}`));
  });

  it('survive a trip through JSON into another process', () => {
    taught(lessons, 'db', 20_000, clock.wall());
    taught(lessons, '2001:db8::1', 30_000, clock.wall());
    const text = JSON.stringify(lessons.export());
    const other = new Lessons(clock, (host, port) => changed.push(`${host}:${port}`));
    expect(other.import(JSON.parse(text))).to.equal(2);
    expect(other.export()).to.deep.equal(lessons.export());
    expect(other.of('[2001:db8::1]:5432')).to.include({ forgotten: 30_000 });
    expect(changed).to.deep.equal(['db:5432', '2001:db8::1:5432']);
  });

  it('keep their own where it is newer than an imported one', () => {
    taught(lessons, 'db', 20_000, clock.wall() - 1000);
    const old = lessons.export();
    taught(lessons, 'db', 10_000, clock.wall());
    expect(lessons.import(old)).to.equal(0);
    expect(lessons.of('db:5432')).to.include({ forgotten: 10_000 });
  });

  it('refuse a broken export as a whole, and list what is wrong', () => {
    const good = {
      host: 'a',
      port: 1,
      survived: 0,
      forgotten: 5000,
      weight: 1,
      contradictions: 0,
      at: clock.wall(),
    };
    const broken = {
      version: 1,
      lessons: [
        good,
        { ...good, host: '' },
        { ...good, port: 1.5 },
        { ...good, survived: -1 },
        { ...good, forgotten: '5s' },
        { ...good, weight: Infinity },
        { ...good, at: clock.wall() * 2 },
        null,
      ],
    };
    expect(() => lessons.import(broken))
      .to.throw(HoldfastError, /lessons\[1\]: host.*lessons\[2\]: port.*lessons\[7\]: not an object/)
      .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    expect(lessons.export().lessons).to.deep.equal([]);
    for (const garbage of [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { version: 2, lessons: [] },
      { version: 1, lessons: {} },
    ]) {
      expect(() => lessons.import(garbage)).to.throw(HoldfastError, 'version 1');
    }
  });

  it('remember 512 targets and forget the one not seen longest', () => {
    for (let i = 0; i < 600; i++) {
      taught(lessons, `host-${i}`, 20_000, clock.wall());
      taught(lessons, 'host-0', 20_000, clock.wall());
    }
    expect(lessons.export().lessons).to.have.length(512);
    expect(lessons.of('host-0:5432')).to.not.equal(undefined);
    expect(lessons.of('host-1:5432')).to.equal(undefined);
  });

  it('are forgotten on demand, one or all', () => {
    taught(lessons, 'a', 20_000, clock.wall());
    taught(lessons, 'b', 20_000, clock.wall());
    lessons.forget({ host: 'a', port: 5432 });
    expect(changed).to.deep.equal(['a:5432']);
    lessons.forget();
    expect(lessons.export().lessons).to.deep.equal([]);
  });
});
