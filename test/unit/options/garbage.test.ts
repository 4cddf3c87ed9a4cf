import { expect } from 'chai';
import fc from 'fast-check';
import { readEnv, optionsFromEnv } from '../../../src/options/env.js';
import { OptionsError } from '../../../src/options/problems.js';
import { resolveLayers, resolveOptions, withOptions } from '../../../src/options/resolve.js';
import type { ResolvedOptions } from '../../../src/options/types.js';
import { anything, durationText, edge, odd, unwrap, value, word } from './garbage.js';
import { expectedOf, oracle, REFUSED, textOracle } from './oracle.js';
import { problemsOf, untyped } from './refused.js';

type Key = keyof typeof oracle;
const keys = Object.keys(oracle) as Key[];

/** What was put in, flat, by path. */
type Given = Partial<Record<Key, unknown>>;
const entry = fc.constantFrom(...keys).chain(key => {
  const right = value.filter(each => expectedOf(key, unwrap(each)) !== REFUSED);
  return fc.tuple(
    fc.constant(key),
    fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: value }),
  );
});
const given: fc.Arbitrary<Given> = fc
  .uniqueArray(entry, { maxLength: 6, selector: ([key]) => key })
  .map(entries => Object.fromEntries(entries));

function unwrapAll(flat: Given): Given {
  return Object.fromEntries(Object.entries(flat).map(([key, each]) => [key, unwrap(each)]));
}

function nest(flat: Given): Record<string, unknown> {
  const options: Record<string, Record<string, unknown> | undefined> & Record<string, unknown> = {};
  for (const [key, each] of Object.entries(flat)) {
    const [name = key, field] = key.split('.');
    if (field === undefined) (options as Record<string, unknown>)[name] = each;
    else options[name] = { ...options[name], [field]: each };
  }
  return options;
}

/** What must come out: the keys that must be refused, beyond which the rest must hold exactly. */
function refusedKeys(flat: Given): Set<string> {
  const refused = new Set<string>();
  const meant = new Map<Key, unknown>();
  for (const key of Object.keys(flat) as Key[]) {
    if (flat[key] === undefined) continue;
    const expected = expectedOf(key, flat[key]);
    if (expected === REFUSED) refused.add(key);
    else meant.set(key, expected);
  }
  const min = meant.get('reconnect.minTimeout') as number | undefined;
  const max = meant.get('reconnect.maxTimeout') as number | undefined;
  if (min !== undefined && max !== undefined && max < min) refused.add('reconnect.maxTimeout');
  if (Object.keys(flat).some(key => key.startsWith('heartbeat.'))) {
    const interval = meant.has('heartbeat.interval') || meant.get('preset') === 'aws-alb';
    if (!interval) refused.add('heartbeat.interval');
    if (!meant.has('heartbeat.send')) refused.add('heartbeat.send');
  }
  return refused;
}

function at(resolved: ResolvedOptions, key: Key): unknown {
  return key.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], resolved);
}

/** Resolves, or returns the keys of the problems; anything but the one error is passed on and fails the test. */
function outcome(fn: () => ResolvedOptions): ResolvedOptions | Set<string> {
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof OptionsError) || error.code !== 'ERR_HOLDFAST_OPTIONS') throw error;
    expect(error.problems).to.not.be.empty;
    const lines = error.message.split('\n');
    expect(lines).to.have.length(error.problems.length + (error.problems.length > 1 ? 1 : 0));
    for (const each of error.problems) expect(each.value.length).to.be.within(1, 80);
    return new Set(error.problems.map(each => each.key));
  }
}

describe('options of any kind', () => {
  it('are refused by exactly the keys that are wrong, or resolve to exactly what was meant', () => {
    let accepted = 0;
    fc.assert(
      fc.property(given, generated => {
        const flat = unwrapAll(generated);
        const result = outcome(() => resolveOptions(untyped(nest(flat))));
        const refused = refusedKeys(flat);
        if (result instanceof Set) {
          expect([...result]).to.have.members([...refused]);
          return;
        }
        expect([...refused]).to.deep.equal([]);
        for (const key of Object.keys(flat) as Key[]) {
          if (flat[key] !== undefined) expect(at(result, key), key).to.deep.equal(expectedOf(key, flat[key]));
        }
        accepted += Object.keys(flat).length > 0 ? 1 : 0;
      }),
      { numRuns: 3000 },
    );
    expect(accepted, 'runs that were accepted: else half of this test says nothing').to.be.above(100);
  });

  for (const key of keys) {
    it(`${key}: one value is refused by name, or resolves to what was meant`, () => {
      fc.assert(
        fc.property(value, generated => {
          const one = unwrap(generated);
          const flat: Given = { [key]: one };
          if (key.startsWith('heartbeat.')) {
            // A heartbeat needs these two, so that the one under test decides.
            if (key !== 'heartbeat.interval') flat['heartbeat.interval'] = 5000;
            if (key !== 'heartbeat.send') flat['heartbeat.send'] = () => 'ping';
          }
          const result = outcome(() => resolveOptions(untyped(nest(flat))));
          const expected = one === undefined ? undefined : expectedOf(key, one);
          if (result instanceof Set) expect([...result]).to.deep.equal([...refusedKeys(flat)]);
          else if (one !== undefined) expect(at(result, key)).to.deep.equal(expected);
        }),
        { numRuns: 400 },
      );
    });
  }

  it('whole or in place of a group, never crash and are never taken for nothing', () => {
    const groups = fc.constantFrom('keepalive', 'heartbeat', 'reconnect');
    fc.assert(
      fc.property(groups, fc.oneof(anything, odd, value), (group, generated) => {
        const level = unwrap(generated);
        const result = outcome(() => resolveOptions(untyped({ [group]: level })));
        const plain = typeof level === 'object' && level !== null && isPlain(level);
        if (result instanceof Set) for (const key of result) expect(key.split('.')[0]).to.equal(group);
        else if (level !== undefined) expect(plain, 'accepted what is no options object').to.equal(true);
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.oneof(anything, odd), generated => {
        const whole = unwrap(generated);
        const results = [
          outcome(() => resolveOptions(untyped(whole))),
          outcome(() => withOptions(resolveOptions(), untyped(whole))),
          outcome(() => resolveLayers({ values: untyped(whole), origin: 'fuzz' })),
        ];
        if (typeof whole === 'object' && whole !== null && Object.keys(safeCopy(whole)).length > 0) {
          for (const result of results) expect(result).to.be.instanceOf(Set);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('under any unknown name are refused under that name without showing the value', () => {
    const names = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('__proto__', 'constructor'),
    );
    const known = new Set(keys.flatMap(key => key.split('.')));
    fc.assert(
      fc.property(names, fc.constantFrom('', 'keepalive', 'heartbeat', 'reconnect'), (name, group) => {
        fc.pre(!known.has(name) && !['keepalive', 'heartbeat', 'reconnect'].includes(name));
        const level = Object.defineProperty({}, name, { value: 'hunter2', enumerable: true });
        const found = problemsOf(() => resolveOptions(untyped(group === '' ? level : { [group]: level })));
        const shown = /^[\w$.-]{1,80}$/.test(name) ? name : '"';
        const prefix = group === '' ? '' : `${group}.`;
        const named = found.filter(
          each => each.key.startsWith(prefix + shown) && each.value === '(not shown)',
        );
        expect(named).to.have.length(1);
        expect(JSON.stringify(found)).to.not.contain('hunter2');
      }),
    );
  });

  it('with getters that throw are refused by name', () => {
    fc.assert(
      fc.property(fc.constantFrom('strict', 'keepalive', 'resume', 'targets'), name => {
        const level = Object.defineProperty({}, name, {
          enumerable: true,
          get() {
            throw new Error('getter');
          },
        });
        expect(problemsOf(() => resolveOptions(untyped(level))).map(each => each.key)).to.deep.equal([name]);
      }),
    );
  });

  it('resolve to the same when what they resolved to is passed again', () => {
    fc.assert(
      fc.property(given, generated => {
        const flat = unwrapAll(generated);
        const first = outcome(() => resolveOptions(untyped(nest(flat))));
        fc.pre(!(first instanceof Set));
        const targets = first.targets.length > 0 ? first.targets : undefined;
        expect(resolveOptions({ ...first, targets })).to.deep.equal(first);
      }),
      { numRuns: 300, maxSkipsPerRun: 1000 },
    );
  });
});

describe('an environment of any kind', () => {
  const variables = Object.entries(textOracle);
  const text = fc.oneof(durationText, word, fc.string(), fc.string({ unit: 'binary' }), edge.map(String));
  const env = fc.dictionary(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...variables.map(([name]) => name)) },
      { weight: 1, arbitrary: fc.string().map(end => `HOLDFAST_${end}`) },
      { weight: 1, arbitrary: fc.string() },
    ),
    text,
    { maxKeys: 6, noNullPrototype: true },
  );

  it('is refused by exactly the variables that are wrong; the others hold exactly what was meant', () => {
    let accepted = 0;
    fc.assert(
      fc.property(env, variablesGiven => {
        const { options, problems } = readEnv(variablesGiven);
        const wrong: string[] = [];
        for (const [name, each] of Object.entries(variablesGiven)) {
          if (!name.startsWith('HOLDFAST_') || /^HOLDFAST_(?:TEST|BENCH|LAB)_/.test(name)) continue;
          const entry = variables.find(([known]) => known === name);
          const expected = entry === undefined ? REFUSED : entry[1].read(each.trim());
          if (entry === undefined || expected === REFUSED) {
            wrong.push(name);
            continue;
          }
          const held = entry[1].key
            .split('.')
            .reduce<unknown>((part, field) => (part as Record<string, unknown>)[field], options);
          expect(held, name).to.deep.equal(expected);
          accepted += 1;
        }
        expect(problems).to.have.length(wrong.length);
        for (const name of wrong) {
          const plain = /^[\w$.-]{1,80}$/.test(name);
          expect(
            problems.some(each => (plain ? each.origin === name : each.origin.startsWith('"HOLDFAST_'))),
          ).to.equal(true);
        }
        if (wrong.length === 0) expect(optionsFromEnv(variablesGiven)).to.deep.equal(options);
        else expect(problemsOf(() => optionsFromEnv(variablesGiven))).to.deep.equal(problems);
        // What was right is always enough to go on with.
        expect(outcome(() => resolveOptions(options))).to.not.be.instanceOf(Set);
      }),
      { numRuns: 3000 },
    );
    expect(accepted, 'values that were accepted: else half of this test says nothing').to.be.above(500);
  });
});

function isPlain(level: object): boolean {
  try {
    return /^\[object (?:Object|Module)\]$/.test(Object.prototype.toString.call(level));
  } catch {
    return false;
  }
}

/** The object's own names, or none where even asking throws. */
function safeCopy(level: object): object {
  try {
    return { ...level };
  } catch {
    return {};
  }
}
