import { expect } from 'chai';
import { Fleet, type SweptEvent } from '../../../src/fleet/fleet.js';
import { Lessons } from '../../../src/fleet/lessons.js';
import type { HoldfastOptions } from '../../../src/options/types.js';
import type { Verdict } from '../../../src/guard/verdict.js';
import {
  ALIVE,
  FakeGuard,
  infoAfter,
  RESET,
  SILENT,
  silentVerdict,
  TARGET,
  verdictAfter,
} from './fake-guard.js';
import { SleepyClock } from './sleepy-clock.js';

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('a fleet', () => {
  let clock: SleepyClock;
  let lessons: Lessons;
  let fleet: Fleet;
  let swept: SweptEvent[];
  let learned: object[];
  let unlearned: object[];
  let order: string[];

  beforeEach(() => {
    clock = new SleepyClock();
    lessons = new Lessons(clock, (host, port) => fleet.retune(host, port));
    swept = [];
    learned = [];
    unlearned = [];
    order = [];
    fleet = new Fleet(clock, lessons, {
      swept: event => swept.push(event),
      learned: event => learned.push(event),
      unlearned: event => unlearned.push(event),
    });
  });

  function join(silence: number, options: HoldfastOptions = {}, name = String(silence)): FakeGuard {
    const guard = new FakeGuard(silence, options, name);
    const ask = guard.ask.bind(guard);
    guard.ask = (timeout, done) => {
      order.push(guard.name);
      return ask(timeout, done);
    };
    fleet.joined(guard.asGuard);
    return guard;
  }

  function die(guard: FakeGuard, verdict: Verdict): void {
    fleet.died(guard.asGuard, verdict);
  }

  describe('sweeping', () => {
    it('probes what has been silent for a second, the longest silent first, and condemns the dead', async () => {
      const guards = [join(2000), join(9000), join(500), join(4000)];
      const sweep = fleet.sweep('db.internal:5432');
      expect(order).to.deep.equal(['9000', '4000', '2000']);
      guards[0]?.answer(ALIVE);
      guards[1]?.answer(RESET);
      guards[3]?.answer(SILENT);
      expect(await sweep).to.deep.equal({ probed: 3, alive: 1, dead: 2 });
      expect(guards.map(({ log }) => log)).to.deep.equal([
        ['asked'],
        ['asked', 'condemned: reset'],
        [],
        ['asked', 'condemned: silent'],
      ]);
      const event = { target: { host: 'db.internal', port: 5432 }, reason: 'request', elapsed: 0 };
      expect(swept).to.deep.equal([{ ...event, probed: 3, alive: 1, dead: 2 }]);
    });

    it('leaves alone a socket with bytes in flight, which TCP_USER_TIMEOUT watches', async () => {
      const sent = join(9000);
      sent.tcpInfo = infoAfter(9000, { bytesSent: 200, unacked: 1 });
      join(9000).tcpInfo = infoAfter(9000, { notsent: 10 });
      join(9000).tcpInfo = undefined;
      expect(await fleet.sweep()).to.deep.equal({ probed: 0, alive: 0, dead: 0 });
    });

    it('takes a target by its name or by its address, and all without one', async () => {
      const guard = join(2000);
      const other = new FakeGuard(3000, {}, 'other', { host: 'cache', address: '10.0.0.6', port: 6379 });
      fleet.joined(other.asGuard);
      const sweeps = [
        fleet.sweep(TARGET),
        fleet.sweep('10.0.0.5:5432'),
        fleet.sweep({ host: 'cache', port: 6379 }),
        fleet.sweep(),
        fleet.sweep('nobody:1'),
      ];
      guard.answer(ALIVE);
      other.answer(ALIVE);
      const probed = (await Promise.all(sweeps)).map(result => result.probed);
      expect(probed).to.deep.equal([1, 1, 1, 2, 0]);
    });

    it('counts a socket that was closed meanwhile as neither alive nor dead', async () => {
      const guard = join(2000);
      const sweep = fleet.sweep();
      guard.answer({ outcome: 'abandoned' });
      expect(await sweep).to.deep.equal({ probed: 1, alive: 0, dead: 0 });
    });

    it('starts at the first eviction of a target, once for the whole burst', async () => {
      const [first, second, third] = [join(9000), join(8000), join(7000)] as const;
      die(first, verdictAfter(9000));
      expect(order).to.deep.equal(['8000', '7000']);
      second.answer(RESET);
      die(second, verdictAfter(8000));
      third.answer(RESET);
      die(third, verdictAfter(7000));
      await settle();
      expect(swept.map(({ reason, dead }) => [reason, dead])).to.deep.equal([['eviction', 2]]);
      // The same burst, noticed late.
      const late = join(6000);
      die(late, verdictAfter(6000));
      await settle();
      expect(swept).to.have.length(1);
      clock.advance(1000);
      die(join(6000), verdictAfter(6000));
      await settle();
      expect(swept).to.have.length(2);
    });

    it('does not start for deaths of other causes, for connections never made, nor with learn off', async () => {
      join(9000);
      die(join(9000), verdictAfter(9000, { cause: 'peer-closed' }));
      die(join(9000), verdictAfter(9000, { cause: 'peer-reset' }));
      die(join(9000), verdictAfter(9000, { cause: 'path-timeout', tcpInfo: undefined }));
      die(join(9000, { learn: false }), verdictAfter(9000));
      await settle();
      expect(order).to.deep.equal([]);
      expect(swept).to.deep.equal([]);
    });

    it('probes everything, the lately heard too, when the process wakes, and learns nothing from it', async () => {
      const [fresh, old] = [join(10), join(9000)] as const;
      clock.suspendMachine(3_600_000);
      clock.advance(10_000);
      expect(order).to.deep.equal(['9000', '10']);
      expect(fresh.askTimeout).to.equal(3000);
      for (const guard of [fresh, old]) {
        guard.answer(RESET);
        die(guard, verdictAfter(9000));
      }
      await settle();
      expect(swept.map(({ reason, target, dead }) => [reason, target, dead])).to.deep.equal([
        ['wake', undefined, 2],
      ]);
      expect(learned).to.deep.equal([]);
    });

    it('keeps a timer only while sockets are guarded with learn on', () => {
      const quiet = join(0, { learn: false });
      expect(clock.pending).to.deep.equal([]);
      const guard = join(0);
      expect(clock.pending).to.deep.equal([{ in: 10_000, hold: false }]);
      fleet.left(guard.asGuard);
      die(quiet, verdictAfter(5000, { cause: 'local-close' }));
      expect(clock.pending).to.deep.equal([]);
    });
  });

  describe('learning', () => {
    it('shortens the keepalive of live and later sockets to half of what an eviction took', async () => {
      const [dead, live] = [join(20_000), join(500)] as const;
      const patient = join(500, { keepalive: { idle: '8s', interval: '2s' } });
      const stubborn = join(500, { learn: false });
      die(dead, verdictAfter(20_400));
      await settle();
      expect(learned).to.deep.equal([
        {
          target: { host: 'db.internal', port: 5432 },
          survived: 0,
          forgotten: 20_400,
          idle: 10_000,
          retuned: 1,
        },
      ]);
      expect(live.log).to.deep.equal(['retuned: 10000/10000']);
      expect(join(0).log).to.deep.equal(['retuned: 10000/10000']);
      expect([
        ...patient.log,
        ...stubborn.log,
        ...join(0, { keepalive: { idle: '8s', interval: '2s' } }).log,
      ]).to.deep.equal([]);
    });

    it('shortens the interval too where that is what keeps an idle socket silent for too long', async () => {
      const frequent = join(0, { keepalive: { idle: '5s', interval: '10s' } });
      die(join(12_000), verdictAfter(12_000));
      await settle();
      expect(frequent.log).to.deep.equal(['retuned: 5000/5000']);
      lessons.forget();
      expect(frequent.log).to.deep.equal(['retuned: 5000/5000', 'retuned: 5000/10000']);
    });

    it('takes the moment of the first unanswered keepalive for the silence of a socket that was tuned before', async () => {
      die(join(12_000), verdictAfter(12_000));
      await settle();
      clock.advance(2000);
      const tuned = join(0);
      expect(tuned.wanted.idle).to.equal(6000);
      die(tuned, silentVerdict(24_000));
      clock.advance(500);
      await settle();
      expect(lessons.of('db.internal:5432')).to.include({ forgotten: 6000 });
    });

    it('takes the shortest silence of a burst', async () => {
      const [first, second] = [join(60_000), join(20_000)] as const;
      die(first, verdictAfter(60_000));
      second.answer(RESET);
      die(second, verdictAfter(20_000));
      await settle();
      expect(lessons.of('db.internal:5432')).to.include({ forgotten: 20_000, weight: 1 });
    });

    it('learns nothing when a sibling outlived a longer silence', async () => {
      const [dead, alive] = [join(12_000), join(25_000)] as const;
      die(dead, verdictAfter(12_000));
      alive.answer(ALIVE);
      await settle();
      expect(learned).to.deep.equal([]);
      expect(lessons.of('db.internal:5432')).to.include({ survived: 25_000, forgotten: undefined });
    });

    it('learns nothing when keepalives have been answered after a longer silence', async () => {
      const [dead, sibling] = [join(12_000), join(500)] as const;
      // No data for five minutes, yet heard half a second ago: keepalives every 30 s were answered.
      sibling.tcpInfo = infoAfter(300_000, { lastAckRecv: 500 });
      die(dead, verdictAfter(12_000));
      await settle();
      expect(learned).to.deep.equal([]);
    });

    it('learns nothing when sockets in use died with it', async () => {
      const [dead, busy] = [join(12_000), join(8000)] as const;
      die(dead, verdictAfter(12_000));
      die(busy, verdictAfter(100, { cause: 'peer-reset' }));
      busy.answer({ outcome: 'abandoned' });
      await settle();
      expect(learned).to.deep.equal([]);
    });

    it('takes a lesson back when a probe is answered after a longer silence', async () => {
      die(join(12_000), verdictAfter(12_000));
      await settle();
      const live = join(0);
      expect(live.wanted.idle).to.equal(6000);
      fleet.probed(live.asGuard, ALIVE, 25_000);
      expect(unlearned).to.deep.equal([
        { target: { host: 'db.internal', port: 5432 }, survived: 25_000, retuned: 1 },
      ]);
      expect(live.wanted.idle).to.equal(30_000);
    });

    it('does not learn from one silent death alone: it may have been an outage', async () => {
      die(join(20_000), silentVerdict(20_000));
      await settle();
      expect(learned).to.deep.equal([]);
      clock.advance(5000);
      die(join(21_000), silentVerdict(21_000));
      await settle();
      expect(learned).to.have.length(1);
      expect(lessons.of('db.internal:5432')).to.include({ forgotten: 20_000 });
    });

    it('learns from a silent death when a sibling lives, or a new connection succeeds at once', async () => {
      const [dead, alive] = [join(20_000), join(5000)] as const;
      die(dead, silentVerdict(20_000));
      alive.answer(ALIVE);
      await settle();
      expect(learned).to.have.length(1);
      lessons.forget();
      clock.advance(5000);
      die(alive, silentVerdict(15_000));
      await settle();
      expect(learned).to.have.length(1);
      clock.advance(500);
      expect(join(0).wanted.idle).to.equal(7000);
      expect(learned).to.have.length(2);
    });

    it('starts wise from imported lessons, and forgets on demand', async () => {
      die(join(12_000), verdictAfter(12_000));
      await settle();
      const exported = lessons.export();
      const live = join(0);
      lessons.forget('db.internal:5432');
      expect(live.wanted.idle).to.equal(30_000);
      lessons.import(exported);
      expect(live.wanted.idle).to.equal(6000);
    });
  });

  describe('as a witness', () => {
    const facts = (silence: number): string[] => fleet.evidence(TARGET, silence).map(({ fact }) => fact);

    it('says whether siblings live, and whether active ones died', () => {
      expect(facts(9000)).to.deep.equal([]);
      const sibling = join(500);
      expect(facts(9000)).to.deep.equal(['siblings-lived']);
      sibling.tcpInfo = infoAfter(500, { state: 7 });
      expect(facts(9000)).to.deep.equal(['siblings-died-active']);
      expect(facts(500)).to.deep.equal([]);
    });

    it('counts the dead of the sweep under way', () => {
      const [first, second, third] = [join(9000), join(9000), join(9000)] as const;
      join(9000);
      die(first, verdictAfter(9000));
      second.answer(RESET);
      third.answer(RESET);
      expect(facts(9000)).to.deep.equal(['siblings-died-together']);
    });

    it('speaks against a silence that others have outlived, and for one that recurs', () => {
      const live = join(0);
      fleet.probed(live.asGuard, ALIVE, 40_000);
      expect(fleet.evidence(TARGET, 20_000).map(({ fact, weight }) => [fact, weight])).to.deep.include([
        'longer-silence-survived',
        -1.5,
      ]);
      fleet.left(live.asGuard);
      lessons.forget();
      const lesson = {
        host: TARGET.host,
        port: TARGET.port,
        survived: 0,
        forgotten: 20_000,
        contradictions: 0,
      };
      lessons.import({ version: 1, lessons: [{ ...lesson, weight: 2, at: clock.wall() }] });
      expect(facts(20_500)).to.deep.equal(['recurring-silence']);
      expect(facts(29_000)).to.deep.equal([]);
      expect(fleet.knownTimeouts(TARGET).map(({ idleTimeout }) => idleTimeout)).to.deep.equal([20_000]);
    });
  });
});
