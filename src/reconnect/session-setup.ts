import type { ConnectTarget } from '../guard/connect.js';
import type { GuardContext } from '../guard/context.js';
import type { Target } from '../guard/verdict.js';
import type { ResolvedOptions } from '../options/types.js';
import type { ResumedEvent, SuspendedEvent } from './events.js';

/** Who else wants to know what happens to a session. Told before its own listeners. Hooks must not throw. */
export interface SessionHooks {
  suspended?(target: Target | undefined, event: SuspendedEvent): void;
  resumed?(target: Target | undefined, event: ResumedEvent): void;
}

/** What a session is made from. */
export interface SessionSetup {
  readonly target: Partial<ConnectTarget>;
  readonly options: ResolvedOptions;
  readonly context: GuardContext;
  readonly random: () => number;
  readonly hooks: SessionHooks;
}

let latest: WeakRef<SessionSetup> | undefined;

/** Sessions alike in all of it share one object: a pool has thousands, made one after the other. */
export function shared(setup: SessionSetup): SessionSetup {
  const known = latest?.deref();
  if (known !== undefined && isSame(known, setup)) return known;
  latest = new WeakRef(setup);
  return setup;
}

function isSame(one: SessionSetup, other: SessionSetup): boolean {
  return (
    one.options === other.options &&
    one.context === other.context &&
    one.random === other.random &&
    one.hooks === other.hooks &&
    hasSameEntries(one.target, other.target)
  );
}

function hasSameEntries(one: object, other: object): boolean {
  const entries = Object.entries(one);
  return (
    entries.length === Object.keys(other).length &&
    entries.every(([key, value]) => Object.is(value, (other as Record<string, unknown>)[key]))
  );
}
