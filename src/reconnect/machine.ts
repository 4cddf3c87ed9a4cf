import type { Verdict } from '../guard/verdict.js';
import type {
  AttemptedEvent,
  PendingWrites,
  ResumedEvent,
  SuspendedEvent,
  UncertainBytes,
} from './events.js';

/** What is remembered of a generation's death until the next one is in use. */
export interface Outage {
  readonly verdict: Verdict;
  readonly uncertain: UncertainBytes;
  readonly pending: PendingWrites;
  /** The clock's reading when it began. */
  readonly since: number;
}

export type SessionState =
  /** No generation yet. `dialling` is false while nobody has said where to connect to. */
  | { readonly name: 'connecting'; readonly dialling: boolean }
  /** A generation is in use. `ended`: the peer's FIN was passed on to the reader, so there is nothing to resume. */
  | { readonly name: 'open'; readonly generation: number; readonly ended: boolean }
  /** The generation is dead: waiting for the next attempt, or dialling. */
  | { readonly name: 'suspended'; readonly generation: number; readonly outage: Outage }
  /** The next generation is connected and the resume hook is speaking on it. */
  | { readonly name: 'resuming'; readonly generation: number; readonly outage: Outage }
  | { readonly name: 'closed' };

export type StateName = SessionState['name'];

export type SessionEvent =
  /** The target is known. */
  | { readonly type: 'dial' }
  /** An attempt's socket is connected, with TLS secured and verified. */
  | { readonly type: 'connected'; readonly attempt: number; readonly delay: number }
  /** The resume hook is done, or there is none. */
  | { readonly type: 'restored'; readonly at: number }
  | {
      readonly type: 'attempt-failed';
      readonly attempt: number;
      readonly delay: number;
      readonly error: Error;
    }
  /** There will be no further attempt. */
  | { readonly type: 'gave-up'; readonly error: Error }
  /** The peer's FIN counts as the end of the session's input. */
  | { readonly type: 'ended'; readonly generation: number }
  /** A generation died and the policy says to go on. */
  | { readonly type: 'lost'; readonly generation: number; readonly outage: Outage }
  /** A generation died and the policy says that this is the end. */
  | { readonly type: 'broken'; readonly generation: number; readonly error: Error | undefined }
  /** Closed from this side. */
  | { readonly type: 'close'; readonly error: Error | undefined };

export type SessionEffect =
  /** Without an outage: the attempts of the first connect. */
  | { readonly type: 'start-attempts'; readonly outage: Outage | undefined }
  | { readonly type: 'stop-attempts' }
  | { readonly type: 'run-hook'; readonly generation: number; readonly outage: Outage }
  /** The attempt's socket becomes the one that is read from and written to. */
  | { readonly type: 'adopt'; readonly generation: number }
  /** Held writes, and a FIN that is owed, go out. */
  | { readonly type: 'flow' }
  | { readonly type: 'drop-physical' }
  | { readonly type: 'tell-connected' }
  | { readonly type: 'tell-suspended'; readonly payload: SuspendedEvent }
  | { readonly type: 'tell-attempted'; readonly payload: AttemptedEvent }
  | { readonly type: 'tell-resumed'; readonly payload: ResumedEvent }
  /** The terminal effect: exactly one, with the step into `closed`. */
  | { readonly type: 'finish'; readonly error: Error | undefined };

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export const AWAITING_TARGET: SessionState = Object.freeze({ name: 'connecting', dialling: false });
const DIALLING: SessionState = Object.freeze({ name: 'connecting', dialling: true });
const CLOSED: SessionState = Object.freeze({ name: 'closed' });
const FIRST_OPEN: SessionState = Object.freeze({ name: 'open', generation: 1, ended: false });
const NOTHING: readonly SessionEffect[] = Object.freeze([]);

/** The life of a session. Pure; an event that has no meaning in a state, or is of another generation, changes nothing. */
export function step(state: SessionState, event: SessionEvent): Step {
  if (state.name === 'closed') return { state, effects: NOTHING };
  switch (event.type) {
    case 'close':
      return closed(event.error);
    case 'gave-up':
      return state.name === 'open' ? ignored(state) : closed(event.error);
    case 'dial':
      return state.name === 'connecting' && !state.dialling
        ? { state: DIALLING, effects: [{ type: 'start-attempts', outage: undefined }] }
        : ignored(state);
    case 'connected':
      return connected(state, event);
    case 'restored':
      return state.name === 'resuming' ? resumed(state, event.at) : ignored(state);
    case 'attempt-failed':
      return attemptFailed(state, event);
    case 'ended':
      return state.name === 'open' && state.generation === event.generation
        ? { state: { ...state, ended: true }, effects: NOTHING }
        : ignored(state);
    case 'lost':
      return state.name === 'open' && state.generation === event.generation && !state.ended
        ? suspended(event)
        : ignored(state);
    case 'broken':
      return state.name === 'open' && state.generation === event.generation
        ? closed(event.error)
        : ignored(state);
  }
}

function ignored(state: SessionState): Step {
  return { state, effects: NOTHING };
}

function closed(error: Error | undefined): Step {
  return {
    state: CLOSED,
    effects: [{ type: 'stop-attempts' }, { type: 'drop-physical' }, { type: 'finish', error }],
  };
}

function connected(state: SessionState, event: SessionEvent & { type: 'connected' }): Step {
  if (state.name === 'connecting' && state.dialling) {
    return {
      state: FIRST_OPEN,
      effects: [{ type: 'adopt', generation: 1 }, { type: 'tell-connected' }, { type: 'flow' }],
    };
  }
  if (state.name !== 'suspended') return ignored(state);
  const { outage } = state;
  const generation = state.generation + 1;
  return {
    state: { name: 'resuming', generation, outage },
    effects: [
      { type: 'tell-attempted', payload: { attempt: event.attempt, delay: event.delay } },
      { type: 'run-hook', generation, outage },
    ],
  };
}

function resumed({ generation, outage }: SessionState & { name: 'resuming' }, at: number): Step {
  const payload = { generation, downtime: at - outage.since, verdict: outage.verdict };
  return {
    state: { name: 'open', generation, ended: false },
    effects: [{ type: 'adopt', generation }, { type: 'tell-resumed', payload }, { type: 'flow' }],
  };
}

function attemptFailed(state: SessionState, event: SessionEvent & { type: 'attempt-failed' }): Step {
  const { attempt, delay, error } = event;
  const effects: readonly SessionEffect[] = [{ type: 'tell-attempted', payload: { attempt, delay, error } }];
  switch (state.name) {
    case 'connecting':
      return state.dialling ? { state, effects } : ignored(state);
    case 'suspended':
      return { state, effects };
    case 'resuming': {
      const { generation, outage } = state;
      return { state: { name: 'suspended', generation: generation - 1, outage }, effects };
    }
    case 'open':
    case 'closed':
      return ignored(state);
  }
}

function suspended({ generation, outage }: SessionEvent & { type: 'lost' }): Step {
  const { verdict, uncertain, pending } = outage;
  return {
    state: { name: 'suspended', generation, outage },
    effects: [
      { type: 'start-attempts', outage },
      { type: 'tell-suspended', payload: { verdict, uncertain, pending } },
    ],
  };
}
