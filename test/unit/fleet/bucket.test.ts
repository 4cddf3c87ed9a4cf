import { expect } from 'chai';
import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bucket } from '../../../src/fleet/bucket.js';
import { HoldfastError } from '../../../src/errors.js';
import { nameOf, parseTargetName } from '../../../src/fleet/registry.js';
import { FakeGuard } from './fake-guard.js';

describe('a bucket of guards', () => {
  it('holds what was added and not removed, whatever the order', () => {
    const guards = Array.from({ length: 12 }, () => new FakeGuard(0).asGuard);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 11 }))), steps => {
        const bucket = new Bucket('h:1', 'h', 1);
        const model = new Set();
        for (const guard of guards) guard.place = -1;
        for (const [add, index] of steps) {
          const guard = guards[index];
          if (guard === undefined) continue;
          if (add && !bucket.has(guard)) bucket.add(guard);
          else if (!add) expect(bucket.remove(guard)).to.equal(model.has(guard));
          if (add) model.add(guard);
          else model.delete(guard);
        }
        expect(bucket.guards().every(guard => model.has(guard))).to.equal(true);
        expect(new Set(bucket.guards()).size).to.equal(model.size);
        expect(bucket.size).to.equal(model.size);
      }),
    );
  });

  it('does not keep a guard alive, and forgets the place of a collected one', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const bucket = new Bucket('h:1', 'h', 1);
    const kept = new FakeGuard(0).asGuard;
    bucket.add(kept);
    (() => {
      for (let i = 0; i < 40; i++) bucket.add(new FakeGuard(0).asGuard);
    })();
    // A WeakRef's target lives to the end of the job that made it.
    await new Promise(resolve => setImmediate(resolve));
    collect();
    bucket.prune();
    expect(bucket.guards()).to.deep.equal([kept]);
    expect(bucket.size).to.equal(1);
    expect(bucket.remove(kept)).to.equal(true);
  });
});

describe('a target’s name', () => {
  it('is host:port, with an IPv6 address in brackets', () => {
    for (const [text, host] of [
      ['db.internal:5432', 'db.internal'],
      ['[2001:db8::1]:5432', '2001:db8::1'],
      ['10.0.0.1:5432', '10.0.0.1'],
    ] as const) {
      expect(parseTargetName(text, 'sweep')).to.deep.equal({ host, port: 5432 });
      expect(nameOf({ host, port: 5432 })).to.equal(text);
    }
  });

  it('is refused when it names no port or no host', () => {
    for (const wrong of [
      'db',
      'db:',
      ':5432',
      'db:70000',
      'db:5432:1',
      '2001:db8::1',
      7,
      null,
      {},
      { host: 'a' },
    ]) {
      expect(() => parseTargetName(wrong, 'sweep'))
        .to.throw(HoldfastError, "sweep: a target is 'host:port'")
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
  });
});
