import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { harden, type PgClient, type PgPool } from '../../../src/drivers/pg.js';
import { rememberVerdict } from '../../../src/guard/autopsy.js';
import { verdictOf } from '../../../src/index.js';

type Callback = (error?: unknown, result?: unknown) => void;

/** Answers with what the test queued: a value, or an error to reject with. */
class FakePool extends EventEmitter {
  readonly totalCount = 0;
  readonly idleCount = 0;
  readonly options = { max: 3 };
  readonly asked: unknown[][] = [];
  answers: unknown[] = [];
  connect(): Promise<FakeClient> {
    return Promise.resolve(new FakeClient());
  }
  query(...args: unknown[]): unknown {
    this.asked.push(args);
    const answer = this.answers.shift();
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }
}

class FakeClient extends EventEmitter {
  readonly connection = Object.assign(new EventEmitter(), { stream: new PassThrough() });
  readonly asked: unknown[][] = [];
  query(...args: unknown[]): unknown {
    this.asked.push(args);
    const callback = args.at(-1);
    const error = new Error('Client has encountered a connection error and is not queryable');
    if (typeof callback === 'function') {
      (callback as Callback)(error);
      return undefined;
    }
    return Promise.reject(error);
  }
  end(callback: () => void): void {
    callback();
  }
}

describe('harden of holdfast/pg', () => {
  it('returns what it was given, and hardens it once', () => {
    const pool = new FakePool();
    expect(harden(pool as unknown as PgPool)).to.equal(pool);
    const { query } = pool;
    harden(pool as unknown as PgPool);
    expect(pool.query).to.equal(query);
    const client = new FakeClient();
    expect(harden(client as unknown as PgClient)).to.equal(client);
  });

  it('refuses what is neither a Client nor a Pool', () => {
    for (const wrong of [undefined, null, 1, {}, new EventEmitter(), { query: () => 1 }]) {
      expect(() => harden(wrong as unknown as PgClient))
        .to.throw(/takes a pg.Client or pg.Pool/)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
  });

  describe('pool.query', () => {
    let pool: FakePool;
    beforeEach(() => {
      pool = new FakePool();
      harden(pool as unknown as PgPool);
    });

    it('is repeated while nothing was sent, as often as the pool has connections', async () => {
      pool.answers = [neverSent(), neverSent(), neverSent(), 'rows'];
      expect(await pool.query('SELECT $1', [1])).to.equal('rows');
      expect(pool.asked).to.deep.equal(Array.from({ length: 4 }, () => ['SELECT $1', [1]]));
    });

    it('is not repeated beyond that, nor where something was sent', async () => {
      const last = neverSent();
      pool.answers = [neverSent(), neverSent(), neverSent(), last, 'rows'];
      expect(await failure(pool.query('SELECT 1'))).to.equal(last);
      const refused = new Error('syntax error');
      pool.answers = [refused, 'rows'];
      expect(await failure(pool.query('SELECT 1'))).to.equal(refused);
    });

    it('keeps the callback forms', async () => {
      pool.answers = [neverSent(), 'rows', neverSent(), 'more rows'];
      const heard = await new Promise(resolve => {
        const returned = pool.query('SELECT 1', (...got: unknown[]) => resolve(got));
        expect(returned).to.equal(undefined);
      });
      expect(heard).to.deep.equal([undefined, 'rows']);
      const again = await new Promise(resolve => {
        pool.query('SELECT $1', [1], (...got: unknown[]) => resolve(got));
      });
      expect(again).to.deep.equal([undefined, 'more rows']);
      expect(pool.asked.at(-1)).to.deep.equal(['SELECT $1', [1]]);
    });

    it('passes query objects and nonsense on as they are', async () => {
      const cursor = { submit: () => undefined };
      const error = neverSent();
      pool.answers = [error, 'rows'];
      expect(await failure(pool.query(cursor))).to.equal(error);
      const callback = (): void => undefined;
      pool.answers = [];
      await pool.query(callback);
      expect(pool.asked).to.deep.equal([[cursor], [callback]]);
    });
  });

  it('tells a query of a dead client what it died of, and that it was not sent', async () => {
    const client = new FakeClient();
    harden(client as unknown as PgClient);
    client.emit('error', neverSent('all-acknowledged')); // nobody else listens
    const byPromise = await failure(client.query('SELECT 1'));
    expect(byPromise).to.have.nested.property('cause.message', 'reset');
    expect(verdictOf(byPromise)).to.include({ cause: 'nat-eviction', delivery: 'never-sent' });
    const byCallback = await new Promise(resolve =>
      client.query('SELECT 1', (error: unknown) => resolve(error)),
    );
    expect(byCallback).to.have.nested.property('cause.message', 'reset');
    client.emit('error', new Error('and again'));
  });
});

function neverSent(delivery: 'never-sent' | 'all-acknowledged' = 'never-sent'): Error {
  const error = new Error('reset');
  const bytes = { sent: 0, acknowledged: 0, unacknowledged: 0, unsent: 0, queued: 9, received: 0 };
  const known = {
    confidence: 0.9,
    code: 'ECONNRESET',
    silence: 5000,
    bytes,
    evidence: [],
    target: undefined,
  };
  rememberVerdict(error, { cause: 'nat-eviction', delivery, at: 0, ...known });
  return error;
}

function failure(answer: unknown): Promise<unknown> {
  return Promise.resolve(answer).then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  );
}
