import { expect } from 'chai';
import fc from 'fast-check';
import {
  bracketOf,
  isNarrow,
  nextStep,
  type PlanOptions,
  type Trial,
} from '../../../../src/cli/probe/plan.js';
import { simulate } from './simulated-path.js';

const survived = (silence: number): Trial => ({ fate: 'survived', silence });
const silent = (silence: number): Trial => ({ fate: 'silent', silence });
const closed = (silence: number): Trial => ({ fate: 'closed', silence });
const failed: Trial = { fate: 'failed', silence: 0 };

const options: PlanOptions = { min: 1000, max: 600_000, slots: 15 };
const modes = fc.constantFrom('reset', 'silent', 'closed', 'cut' as const);
const plans = fc
  .record({ max: fc.integer({ min: 2000, max: 86_400_000 }), slots: fc.integer({ min: 1, max: 63 }) })
  .map(each => ({ min: 1000, ...each }));

/** A late timer, of up to 40 ms, that differs from trial to trial but not from run to run. */
const lateness = fc.integer({ min: 0, max: 1000 }).map(seed => (trial: number) => (trial * 7919 + seed) % 41);

describe('probe planner', () => {
  it('ends with the true limit inside its bracket, whatever the limit and however connections end', () => {
    fc.assert(
      fc.property(
        plans,
        fc.double({ min: 0.0001, max: 1, noNaN: true }),
        modes,
        lateness,
        (plan, part, mode, late) => {
          const limit = Math.max(1, plan.max * part);
          const { bracket, mostOpen } = simulate(plan, { limit, mode, late });
          const { low, high } = bracket;
          expect(low).to.be.at.most(limit);
          if (high === undefined) expect(limit).to.be.at.least(plan.max);
          else expect(high).to.be.at.least(limit);
          expect(mostOpen).to.be.at.most(plan.slots);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('narrows to 10 % or half a second, and shows the moment where the other side ends connections by itself', () => {
    fc.assert(
      fc.property(
        plans,
        fc.double({ min: 0, max: 1, noNaN: true }),
        modes,
        lateness,
        (plan, part, mode, late) => {
          const limit = 1200 + (plan.max - 1300) * part;
          const { bracket } = simulate(plan, { limit, mode, late });
          const { high = Infinity, losses } = bracket;
          expect(losses).to.be.at.least(2);
          if (mode === 'closed' || mode === 'cut') expect(high - limit).to.be.within(0, 41);
          else expect(isNarrow(bracket), JSON.stringify(bracket)).to.equal(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('finds nothing where the limit is beyond the longest silence', () => {
    fc.assert(
      fc.property(plans, modes, lateness, (plan, mode, late) => {
        const { bracket } = simulate(plan, { limit: plan.max * 2, mode, late });
        expect(bracket).to.include({ high: undefined, losses: 0 });
        expect(bracket.low).to.be.at.least(plan.max);
      }),
    );
  });

  it('is not misled by more than its own tolerance when one probe gets lost', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), modes, lateness, (trial, mode, late) => {
        const { bracket } = simulate(options, { limit: 350_000, mode, late, lost: new Set([trial]) });
        expect(bracket.low).to.be.at.most(350_000);
        expect(bracket.high).to.be.within(350_000 * 0.9, 350_000 * 1.1);
      }),
    );
  });

  it('takes less than three times the limit with the default number of connections', () => {
    for (const limit of [3000, 7000, 20_000, 60_000, 350_000]) {
      const { took } = simulate(options, { limit, mode: 'reset', late: () => 5 });
      expect(took / limit, `${limit} ms`).to.be.below(3);
    }
  });

  it('starts with a ladder from the shortest silence to the longest', () => {
    const step = nextStep(options, [], []);
    if (step.kind !== 'go') throw new Error(step.kind);
    expect(step.start).to.have.length(15);
    expect(step.start[0]).to.equal(1000);
    expect(step.start.at(-1)).to.be.closeTo(600_000, 1);
  });

  it('does not crowd a short range with connections', () => {
    const step = nextStep({ min: 1000, max: 2000, slots: 63 }, [], []);
    expect(step).to.have.property('start').with.length.below(8);
  });

  it('gives up the trials above a loss at once, and looks at the loss again in the next round', () => {
    const trials = [survived(2000), silent(3000)];
    const step = nextStep(options, trials, [4500, 6700]);
    expect(step.abandon).to.deep.equal([4500, 6700]);
    if (step.kind !== 'go') throw new Error(step.kind);
    expect(step.start.filter(silence => silence > 3000)).to.have.length(1);
    expect(step.start.filter(silence => silence > 2000 && silence < 3000)).to.not.be.empty;
  });

  it('keeps the trials above a first closing, which will soon confirm it', () => {
    const trials = [survived(2000), closed(3000)];
    expect(nextStep(options, trials, [4500, 6700])).to.deep.equal({ kind: 'go', start: [], abandon: [] });
    expect(nextStep(options, [...trials, closed(3004)], [6700])).to.deep.equal({
      kind: 'done',
      abandon: [6700],
    });
  });

  it('lets a survived longer silence outvote a loss', () => {
    expect(bracketOf([survived(2000), silent(3000), survived(4500)])).to.deep.equal({
      low: 4500,
      high: undefined,
      fate: undefined,
      losses: 0,
      contradicted: 1,
    });
  });

  it('does not let one survivor outvote two losses', () => {
    expect(bracketOf([silent(3000), silent(3100), survived(4500)])).to.include({ high: 3100, low: 0 });
  });

  it('needs two closings before it believes that the server closes', () => {
    expect(nextStep(options, [survived(2000), closed(3000)], []).kind).to.equal('go');
    expect(nextStep(options, [survived(2000), closed(3000), closed(3001)], []).kind).to.equal('done');
  });

  it('goes on with fewer connections where the server turns some away', () => {
    const refusing = [...Array.from({ length: 10 }, () => failed), survived(600)];
    const step = nextStep(options, refusing, []);
    expect(step).to.have.property('start').with.length(5);
  });

  it('ends where no connection works', () => {
    expect(
      nextStep(
        options,
        Array.from({ length: 15 }, () => failed),
        [],
      ),
    ).to.deep.equal({ kind: 'done', abandon: [] });
  });
});
