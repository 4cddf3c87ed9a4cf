import { expect } from 'chai';
import { resolveDriverOptions } from '../../../src/drivers/driver-options.js';
import { guardPool } from '../../../src/drivers/mysql2-pool.js';
import type { Callback, PoolInside } from '../../../src/drivers/mysql2-types.js';
import { rememberVerdict } from '../../../src/guard/autopsy.js';
import type { Verdict } from '../../../src/guard/verdict.js';
import { Holdfast } from '../../../src/index.js';

/** A pool whose queries answer with what it is given, in that order. */
class FakePool {
  readonly asked: unknown[] = [];
  readonly answers: (string | Error)[] = [];
  readonly _allConnections = { length: 0, get: () => undefined };
  query(...args: unknown[]): unknown {
    if (args[0] === undefined) throw new TypeError('no statement');
    this.asked.push(args[0]);
    const callback = args.at(-1);
    const answer = this.answers.shift() ?? 'rows';
    if (typeof callback === 'function') {
      const given = typeof answer === 'string' ? [null, answer, 'fields'] : [answer];
      queueMicrotask(() => (callback as Callback)(...given));
    }
    return `command ${this.asked.length}`;
  }
  execute(...args: unknown[]): unknown {
    return this.query(...args);
  }
  getConnection(callback: Callback): void {
    callback(new Error('none'));
  }
  on(): this {
    return this;
  }
}

function died(delivery: Verdict['delivery']): Error {
  const error = new Error(delivery);
  const bytes = { sent: 0 };
  rememberVerdict(error, { cause: 'nat-eviction', delivery, bytes, evidence: [] } as unknown as Verdict);
  return error;
}

describe('a hardened mysql2 pool', () => {
  let pool: FakePool;
  const ask = (...args: unknown[]): Promise<unknown[]> =>
    new Promise(resolve => pool.query(...args, (...given: unknown[]) => resolve(given)));

  beforeEach(() => {
    pool = new FakePool();
    guardPool(pool as unknown as PoolInside, resolveDriverOptions({ retries: 1, holdfast: new Holdfast() }));
  });

  it('repeats a query that never left, and nothing else', async () => {
    pool.answers.push(died('never-sent'));
    expect(await ask('SELECT 1', [1])).to.deep.equal([null, 'rows', 'fields']);
    const error = died('uncertain');
    pool.answers.push(error);
    expect(await ask('SELECT 2')).to.deep.equal([error]);
    expect(pool.asked).to.deep.equal(['SELECT 1', 'SELECT 1', 'SELECT 2']);
  });

  it('gives up after `retries` and tells the last error', async () => {
    const last = died('never-sent');
    pool.answers.push(died('never-sent'), last);
    expect(await ask('SELECT 1')).to.deep.equal([last]);
  });

  it('returns and throws what the driver does', () => {
    expect(pool.query('SELECT 1', () => undefined)).to.equal('command 1');
    expect(pool.query('SELECT 2')).to.equal('command 2');
    expect(() => pool.query(undefined, () => undefined)).to.throw(TypeError, 'no statement');
  });

  it('passes on that there is no connection', async () => {
    const error = await new Promise(resolve => pool.getConnection(resolve));
    expect(error).to.be.an.instanceOf(Error);
  });

  it('is hardened once', () => {
    const { query } = pool;
    guardPool(pool as unknown as PoolInside, resolveDriverOptions({ holdfast: new Holdfast() }));
    expect(pool.query).to.equal(query);
  });
});
