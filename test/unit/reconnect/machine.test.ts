import { expect } from 'chai';
import fc from 'fast-check';
import {
  AWAITING_TARGET,
  step,
  type Outage,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
} from '../../../src/reconnect/machine.js';
import { verdict } from './support/verdicts.js';

const outage: Outage = {
  verdict: verdict('nat-eviction'),
  uncertain: { bytes: 2, start: 5, end: 7 },
  pending: { bytes: 3, writes: 1 },
  since: 1000,
};
const error = new Error('e');

const connecting: SessionState = { name: 'connecting', dialling: true };
const open: SessionState = { name: 'open', generation: 2, ended: false };
const suspended: SessionState = { name: 'suspended', generation: 2, outage };
const resuming: SessionState = { name: 'resuming', generation: 3, outage };
const closed: SessionState = { name: 'closed' };

const connected: SessionEvent = { type: 'connected', attempt: 4, delay: 50 };
const lost: SessionEvent = { type: 'lost', generation: 2, outage };

function types(effects: readonly SessionEffect[]): string[] {
  return effects.map(({ type }) => type);
}

describe('session machine', () => {
  it('dials once a target is known, and only once', () => {
    const first = step(AWAITING_TARGET, { type: 'dial' });
    expect(first).to.deep.equal({
      state: connecting,
      effects: [{ type: 'start-attempts', outage: undefined }],
    });
    expect(step(first.state, { type: 'dial' })).to.deep.equal({ state: connecting, effects: [] });
  });

  it('is open before it tells of the first connection, and lets writes go last', () => {
    const { state, effects } = step(connecting, connected);
    expect(state).to.deep.equal({ name: 'open', generation: 1, ended: false });
    expect(types(effects)).to.deep.equal(['adopt', 'tell-connected', 'flow']);
  });

  it('starts the attempts before it tells of the outage', () => {
    const { state, effects } = step(open, lost);
    expect(state).to.deep.equal(suspended);
    expect(effects).to.deep.equal([
      { type: 'start-attempts', outage },
      {
        type: 'tell-suspended',
        payload: { verdict: outage.verdict, uncertain: outage.uncertain, pending: outage.pending },
      },
    ]);
  });

  it('tells of the attempt before the hook runs, and adopts nothing yet', () => {
    const { state, effects } = step(suspended, connected);
    expect(state).to.deep.equal(resuming);
    expect(effects).to.deep.equal([
      { type: 'tell-attempted', payload: { attempt: 4, delay: 50 } },
      { type: 'run-hook', generation: 3, outage },
    ]);
  });

  it('tells of the resume before held writes flow, with the downtime', () => {
    const { state, effects } = step(resuming, { type: 'restored', at: 1250 });
    expect(state).to.deep.equal({ name: 'open', generation: 3, ended: false });
    expect(types(effects)).to.deep.equal(['adopt', 'tell-resumed', 'flow']);
    expect(effects[1]).to.deep.include({
      payload: { generation: 3, downtime: 250, verdict: outage.verdict },
    });
  });

  it('goes back to the outage when a hook fails, without using up a generation number', () => {
    const failed: SessionEvent = { type: 'attempt-failed', attempt: 1, delay: 0, error };
    const { state, effects } = step(resuming, failed);
    expect(state).to.deep.equal(suspended);
    expect(effects).to.deep.equal([{ type: 'tell-attempted', payload: { attempt: 1, delay: 0, error } }]);
    expect(step(state, connected).state).to.deep.equal(resuming);
  });

  it("does not resume once the peer's FIN has been passed on", () => {
    const { state } = step(open, { type: 'ended', generation: 2 });
    expect(state).to.deep.equal({ ...open, ended: true });
    expect(step(state, lost)).to.deep.equal({ state, effects: [] });
    expect(step(state, { type: 'broken', generation: 2, error }).state).to.deep.equal(closed);
  });

  it('ignores what an older generation says', () => {
    for (const event of [
      { ...lost, generation: 1 },
      { type: 'broken', generation: 1, error },
      { type: 'ended', generation: 1 },
    ] as const) {
      expect(step(open, event)).to.deep.equal({ state: open, effects: [] });
    }
  });

  it('closes from every state in one way', () => {
    for (const state of [AWAITING_TARGET, connecting, open, suspended, resuming]) {
      expect(step(state, { type: 'close', error })).to.deep.equal({
        state: closed,
        effects: [{ type: 'stop-attempts' }, { type: 'drop-physical' }, { type: 'finish', error }],
      });
    }
  });

  it('an open session ignores attempts that gave up', () => {
    expect(step(open, { type: 'gave-up', error }).state).to.equal(open);
  });

  const generation = fc.integer({ min: 1, max: 4 });
  const event: fc.Arbitrary<SessionEvent> = fc.oneof(
    fc.constant({ type: 'dial' } as const),
    fc.constant(connected),
    fc.constant({ type: 'restored', at: 2000 } as const),
    fc.constant({ type: 'attempt-failed', attempt: 1, delay: 1, error } as const),
    fc.constant({ type: 'gave-up', error } as const),
    generation.map(value => ({ type: 'ended', generation: value }) as const),
    generation.map(value => ({ type: 'lost', generation: value, outage }) as const),
    generation.map(value => ({ type: 'broken', generation: value, error }) as const),
    fc.constant({ type: 'close', error: undefined } as const),
  );

  it('finishes exactly once, with the step into closed, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), events => {
        let state: SessionState = AWAITING_TARGET;
        let finished = 0;
        for (const next of events) {
          const before: SessionState = state;
          const { state: after, effects } = step(before, next);
          const ends = effects.filter(({ type }) => type === 'finish').length;
          expect(ends).to.equal(before.name !== 'closed' && after.name === 'closed' ? 1 : 0);
          if (before.name === 'closed') expect(effects).to.be.empty;
          finished += ends;
          state = after;
        }
        expect(finished).to.equal(state.name === 'closed' ? 1 : 0);
      }),
    );
  });

  it('only ever makes the transitions it documents', () => {
    const legal: Record<SessionState['name'], readonly string[]> = {
      connecting: ['connecting', 'open', 'closed'],
      open: ['open', 'suspended', 'closed'],
      suspended: ['suspended', 'resuming', 'closed'],
      resuming: ['resuming', 'suspended', 'open', 'closed'],
      closed: ['closed'],
    };
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), events => {
        let state: SessionState = AWAITING_TARGET;
        let newest = 0;
        let isHeld = true;
        for (const next of events) {
          const before: SessionState = state;
          const { state: after, effects } = step(before, next);
          expect(legal[before.name]).to.include(after.name);
          if (after.name === 'open' && before.name !== 'open') {
            expect(after.generation).to.equal(newest + 1);
            newest = after.generation;
          }
          // Writes flow only into an adopted generation, and an outage stops them.
          for (const { type } of effects) {
            if (type === 'adopt') isHeld = false;
            if (type === 'start-attempts') isHeld = true;
            if (type === 'flow') expect(isHeld).to.equal(false);
          }
          state = after;
        }
      }),
    );
  });
});
