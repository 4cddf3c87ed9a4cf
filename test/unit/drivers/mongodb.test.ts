import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { harden, tail, type MongoClientLike, type MongoCursorLike } from '../../../src/drivers/mongodb.js';
import { CursorFollowing } from '../../../src/drivers/mongodb-follow.js';
import { cursorsOf } from '../../../src/drivers/mongodb-tail.js';
import { FakeClock } from '../../support/fake-clock.js';

type Document = { readonly _id: number };
/** 'end': the server ends the cursor. */
type Answer = Document | Error | 'end' | null;

class FakeClient extends EventEmitter {
  readonly topology: object | undefined;
  constructor(topology?: object) {
    super();
    this.topology = topology;
  }
  connect(): Promise<void> {
    return Promise.resolve();
  }
  db(): object {
    return {};
  }
}

/** Each `find` gives a cursor with the next list of answers; after them it waits until it is closed. */
class FakeCollection {
  readonly filters: object[] = [];
  readonly #answers: Answer[][];
  constructor(...answers: Answer[][]) {
    this.#answers = answers;
  }
  /** Only its type is of use: it tells that of the documents. */
  findOneAndDelete(): Promise<Document | null> {
    return Promise.resolve(null);
  }
  find(filter: object): { closed: boolean; tryNext(): Promise<Document | null>; close(): Promise<void> } {
    this.filters.push(filter);
    const answers = this.#answers.shift() ?? expect.fail('one cursor too many');
    const cursor = {
      closed: false,
      tryNext: (): Promise<Document | null> => {
        const answer = answers.shift() ?? null;
        cursor.closed = answer === 'end';
        if (answer === 'end') return Promise.resolve(null);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      close: () => Promise.resolve(),
    };
    return cursor;
  }
}

describe('harden of holdfast/mongodb', () => {
  it('returns what it was given, and hardens it once', () => {
    const client = new FakeClient();
    expect(harden(client)).to.equal(client);
    harden(client);
    expect(client.listenerCount('serverOpening')).to.equal(1);
  });

  it('refuses what is no MongoClient, and one that is connected', () => {
    for (const wrong of [undefined, null, 1, {}, new EventEmitter()]) {
      expect(() => harden(wrong as MongoClientLike))
        .to.throw(/takes a MongoClient/)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
    expect(() => harden(new FakeClient({}))).to.throw(/before connect/);
  });
});

describe('a tail', () => {
  const reconnect = { minTimeout: 1, maxTimeout: 1 } as const;

  it('goes on behind the last document when its cursor is lost', async () => {
    const collection = new FakeCollection([{ _id: 1 }, { _id: 2 }, networkError()], [{ _id: 3 }]);
    const documents = tail(collection, { reconnect, filter: { kind: 'a' } });
    expect(await take(documents, 3)).to.deep.equal([1, 2, 3]);
    expect(documents.position).to.equal(3);
    expect(collection.filters).to.deep.equal([
      { $and: [{ kind: 'a' }, {}] },
      { $and: [{ kind: 'a' }, { _id: { $gt: 2 } }] },
    ]);
    await documents.close();
  });

  it('starts behind `since`, and ends when it is closed', async () => {
    const collection = new FakeCollection([{ _id: 8 }]);
    const documents = tail(collection, { reconnect, since: 7 });
    expect(await take(documents, 1)).to.deep.equal([8]);
    expect(collection.filters).to.deep.equal([{ _id: { $gt: 7 } }]);
    await documents.close();
    const { done } = await documents[Symbol.asyncIterator]().next();
    expect(done).to.equal(true);
  });

  it('asks again, and tells of no loss, where the server ends a cursor that matches nothing yet', async () => {
    const clock = new FakeClock();
    const collection = new FakeCollection([{ _id: 1 }, 'end'], [null, { _id: 2 }]);
    const cursors = cursorsOf(collection, {});
    const documents = new CursorFollowing<MongoCursorLike, Document>(
      cursors,
      undefined,
      { reconnect },
      clock,
    );
    const lost: unknown[] = [];
    documents.session.on('lost', event => lost.push(event));
    const taken = take(documents, 2);
    await new Promise(setImmediate);
    clock.advance(499);
    await new Promise(setImmediate);
    expect(collection.filters).to.deep.equal([{}]);
    clock.advance(1);
    expect(await taken).to.deep.equal([1, 2]);
    expect(collection.filters).to.deep.equal([{}, { _id: { $gt: 1 } }]);
    expect(lost).to.deep.equal([]);
    await documents.close();
  });

  it('runs `resume` after a loss, and ends quietly when its session is closed', async () => {
    const resumes: unknown[] = [];
    const collection = new FakeCollection([{ _id: 1 }, networkError()], [{ _id: 2 }]);
    const documents = tail(collection, { reconnect, resume: resumed => void resumes.push(resumed) });
    expect(await take(documents, 2)).to.deep.equal([1, 2]);
    expect(resumes).to.deep.equal([{ generation: 2, verdict: undefined, position: 1 }]);
    await documents.session.close();
    const { done } = await documents[Symbol.asyncIterator]().next();
    expect(done).to.equal(true);
  });

  it('throws what the server refused', async () => {
    const collection = new FakeCollection([{ _id: 1 }, new Error('not authorized')]);
    const documents = tail(collection, { reconnect });
    const error = await take(documents, 2).catch((reason: unknown) => reason);
    expect(error).to.have.property('message', 'not authorized');
    expect(documents.session.state).to.equal('closed');
  });
});

function networkError(): Error {
  return Object.assign(new Error('reset'), { name: 'MongoNetworkError' });
}

async function take(documents: AsyncIterable<{ _id: number }>, count: number): Promise<number[]> {
  const iterator = documents[Symbol.asyncIterator]();
  const ids: number[] = [];
  while (ids.length < count) {
    const next = await iterator.next();
    if (next.done === true) return expect.fail('the tail has ended');
    ids.push(next.value._id);
  }
  return ids;
}
