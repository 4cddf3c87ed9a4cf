import { expect } from 'chai';
import { changes, type ResumedFollowing } from '../../../src/drivers/mongodb.js';
import { CursorFollowing } from '../../../src/drivers/mongodb-follow.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Insert {
  readonly _id: string;
  readonly operationType: 'insert';
  readonly fullDocument: { readonly n: number };
}
/** What one request is answered with. A string: no change, but a later resume token. */
type Answer = Insert | Error | string | null;

const reconnect = { minTimeout: 1, maxTimeout: 1 } as const;

/** As the driver's: it resumes by itself unless it is kept from it. */
class FakeStream {
  closed = false;
  resumeToken: unknown;
  cursor: { id?: number } = {};
  resumedByItself = 0;
  readonly #answers: Answer[];
  constructor(answers: Answer[], options: Record<string, unknown>) {
    this.#answers = answers;
    this.resumeToken = options['startAfter'];
  }
  async _processErrorIteratorMode(error: unknown): Promise<void> {
    this.resumedByItself += 1;
    await Promise.resolve(error);
  }
  async tryNext(): Promise<Insert | null> {
    for (;;) {
      const answer = this.#answers.shift();
      this.cursor.id = 1;
      if (answer === undefined) return new Promise(() => undefined); // the server waits
      if (answer instanceof Error) await this._processErrorIteratorMode(answer);
      else {
        this.resumeToken = typeof answer === 'string' ? answer : (answer?._id ?? this.resumeToken);
        return typeof answer === 'string' ? null : answer;
      }
    }
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** Each `watch` gives a stream with the next list of answers. */
class FakeWatchable {
  readonly options: Record<string, unknown>[] = [];
  readonly streams: FakeStream[] = [];
  readonly #answers: Answer[][];
  constructor(...answers: Answer[][]) {
    this.#answers = answers;
  }
  watch(_pipeline: object[], options: Record<string, unknown>): FakeStream {
    this.options.push(options);
    const stream = new FakeStream(this.#answers.shift() ?? expect.fail('one stream too many'), options);
    this.streams.push(stream);
    return stream;
  }
}

describe('changes', () => {
  it('go on behind the last change when the stream is lost, and say so', async () => {
    const watched = new FakeWatchable(
      [insert(1), insert(2), networkError()],
      [insert(3), networkError()],
      [insert(4)],
    );
    const resumes: ResumedFollowing[] = [];
    const feed = changes(watched, {
      reconnect,
      batchSize: 5,
      watch: { fullDocument: 'updateLookup', startAtOperationTime: 7 },
      resume: resumed => void resumes.push(resumed),
    });
    expect(await take(feed, 4)).to.deep.equal([1, 2, 3, 4]);
    expect(watched.options).to.deep.equal([
      { fullDocument: 'updateLookup', startAtOperationTime: 7, batchSize: 5 },
      { fullDocument: 'updateLookup', startAfter: 'token 2', batchSize: 5 },
      { fullDocument: 'updateLookup', startAfter: 'token 3', batchSize: 5 },
    ]);
    expect(resumes.map(({ generation, position }) => ({ generation, position }))).to.deep.equal([
      { generation: 2, position: 'token 2' },
      { generation: 3, position: 'token 3' },
    ]);
    expect(watched.streams.map(({ resumedByItself }) => resumedByItself)).to.deep.equal([0, 0, 0]);
    expect(feed.position).to.equal('token 4');
    await feed.close();
  });

  it('start behind `since`, and come further without a change where the server says so', async () => {
    const watched = new FakeWatchable(['token 8', networkError()], [insert(9)]);
    const feed = changes(watched, { reconnect, since: 'token 7', watch: { resumeAfter: 'token 1' } });
    expect(await take(feed, 1)).to.deep.equal([9]);
    expect(watched.options.map(({ startAfter, resumeAfter }) => [startAfter, resumeAfter])).to.deep.equal([
      ['token 7', undefined],
      ['token 8', undefined],
    ]);
    await feed.close();
  });

  it('go on where the server says that they can, and throw what else it refuses', async () => {
    const resumable = Object.assign(new Error('moved'), { errorLabels: ['ResumableChangeStreamError'] });
    const historyLost = Object.assign(new Error('resume of change stream was not possible'), { code: 286 });
    const watched = new FakeWatchable([insert(1), resumable], [insert(2), historyLost]);
    const feed = changes(watched, { reconnect });
    const error = await take(feed, 3).catch((reason: unknown) => reason);
    expect(error).to.equal(historyLost);
    expect(feed.session.state).to.equal('closed');
  });
});

describe('a waiting cursor with a heartbeat', () => {
  it('is lost when its server does not answer in time, and the next one goes on', async () => {
    const clock = new FakeClock();
    const requests: object[] = [];
    const silent = new FakeStream([insert(1)], {});
    const streams = [silent, new FakeStream([insert(2)], {})];
    const lost: unknown[] = [];
    const following = new CursorFollowing<FakeStream, Insert>(
      {
        open(_position, request) {
          requests.push(request);
          return streams.shift() ?? expect.fail('one stream too many');
        },
        isOpen: ({ cursor }) => cursor.id !== undefined,
        positionOf: ({ resumeToken }) => resumeToken,
      },
      undefined,
      { reconnect, heartbeat: { interval: '2s', timeout: '1s' } },
      clock,
    );
    following.session.on('lost', ({ error }) => lost.push(error));
    const iterator = following[Symbol.asyncIterator]();
    await iterator.next();
    const second = iterator.next();
    await new Promise(setImmediate);
    clock.advance(2999);
    await new Promise(setImmediate);
    expect(lost).to.deep.equal([]);
    clock.advance(1); // due, but a busy program has yet to read what came meanwhile
    await new Promise(setImmediate);
    expect(lost).to.deep.equal([]);
    clock.advance(99);
    expect((await second).value).to.deep.equal(insert(2));
    expect(lost[0]).to.have.property('code', 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT');
    expect(silent.closed).to.equal(true);
    expect(requests).to.deep.equal([
      { batchSize: 100, maxAwaitTimeMS: 2000 },
      { batchSize: 100, maxAwaitTimeMS: 2000 },
    ]);
    await following.close();
  });
});

function insert(n: number): Insert {
  return { _id: `token ${n}`, operationType: 'insert', fullDocument: { n } };
}

function networkError(): Error {
  return Object.assign(new Error('reset'), { name: 'MongoNetworkError' });
}

async function take(
  feed: AsyncIterable<{ readonly fullDocument?: unknown }>,
  count: number,
): Promise<unknown[]> {
  const iterator = feed[Symbol.asyncIterator]();
  const seen: unknown[] = [];
  while (seen.length < count) {
    const next = await iterator.next();
    if (next.done === true) return expect.fail('the feed has ended');
    seen.push((next.value.fullDocument as { n: number }).n);
  }
  return seen;
}
