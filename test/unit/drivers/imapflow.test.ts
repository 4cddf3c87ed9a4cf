import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as nextLoop } from 'node:timers/promises';
import { imapAdapter } from '../../../src/drivers/imapflow-client.js';
import { endOf, mayHoldNews, startOf } from '../../../src/drivers/imapflow-position.js';
import type { ImapClient, ImapInside, ImapMailbox } from '../../../src/drivers/imapflow-types.js';
import { harden, superviseMailbox, type MailboxPosition } from '../../../src/drivers/imapflow.js';

const NUMBERING = { path: 'INBOX', uidValidity: 7n };
type Answer = () => unknown;

/** A server's mailbox and the client connected to it, in one. */
class FakeClient extends EventEmitter {
  socket: PassThrough | false | null = false;
  usable = false;
  idling = false;
  isClosed = false;
  closedByClient = false;
  currentRequest: { command: string } | false = false;
  requestQueue: unknown[] = [];
  selected: ImapMailbox;
  readonly uids: number[];
  readonly asked: string[] = [];
  /** Replaces what the next fetch does. */
  onFetch: Answer | undefined;

  constructor(selected: Partial<ImapMailbox> = {}, uids: number[] = []) {
    super();
    this.uids = uids;
    this.selected = { ...NUMBERING, uidNext: Math.max(0, ...uids) + 1, ...selected };
  }
  run(command: string, ...args: unknown[]): Promise<unknown> {
    this.asked.push(command);
    return Promise.resolve(command === 'FAIL' ? args[0] : true);
  }
  connect(): Promise<void> {
    this.socket = new PassThrough();
    this.usable = true;
    return Promise.resolve();
  }
  mailboxOpen(): Promise<ImapMailbox> {
    return Promise.resolve(this.selected);
  }
  search({ uid }: { uid: string }): Promise<unknown> {
    this.asked.push(`SEARCH ${uid}`);
    const first = uid === '*' ? Infinity : Number(uid.split(':')[0]);
    // As servers do: the last one matches whatever the range begins with.
    return Promise.resolve(
      this.uids.filter((n, index) => n >= first || index === this.uids.length - 1).reverse(),
    );
  }
  async fetchOne(uid: string): Promise<{ uid: number } | false> {
    const { onFetch } = this;
    this.onFetch = undefined;
    onFetch?.();
    await Promise.resolve();
    return this.usable && this.uids.includes(Number(uid)) ? { uid: Number(uid) } : false;
  }
  async noop(): Promise<void> {
    await this.run('NOOP');
  }
  idle(): Promise<void> {
    this.idling = true;
    return Promise.resolve();
  }
  logout(): Promise<void> {
    this.close();
    return Promise.resolve();
  }
  close(): void {
    this.closedByClient ||= !this.isClosed;
    this.die();
  }
  die(error?: Error): void {
    if (error !== undefined) this.emit('error', error);
    if (this.isClosed) return;
    this.isClosed = true;
    this.usable = false;
    this.emit('close');
  }
}

describe('harden of holdfast/imapflow', () => {
  it('returns what it was given, and hardens it once', () => {
    const client = fake();
    expect(harden(client)).to.equal(client);
    const { run } = client;
    harden(client);
    expect(client.run).to.equal(run);
  });

  it('refuses what is no ImapFlow', () => {
    for (const wrong of [undefined, null, 1, {}, new EventEmitter()]) {
      expect(() => harden(wrong as ImapClient))
        .to.throw(/takes an ImapFlow/)
        .with.property('code', 'ERR_HOLDFAST_ARGUMENT');
    }
  });

  it('knows the stream the client uses, and the last one it used', async () => {
    const client = harden(fake());
    expect(imapAdapter.stream?.(client as unknown as ImapInside)).to.equal(undefined);
    await client.connect();
    const first = client.socket;
    expect(imapAdapter.stream?.(client as unknown as ImapInside)).to.equal(first);
    client.socket = null;
    expect(imapAdapter.stream?.(client as unknown as ImapInside)).to.equal(first);
  });

  it('makes a failure of what the driver reports as false, where the connection was lost', async () => {
    const client = harden(fake());
    await client.connect();
    expect(await client.run('FAIL', false)).to.equal(false); // the server said no
    client.die(new Error('reset')); // nobody else listens
    const error = await client.run('FAIL', false).catch((reason: unknown) => reason);
    expect(error).to.have.nested.property('cause.message', 'reset');
  });

  it('beats only where nothing is under way but IDLE, which it takes up again', async () => {
    const client = fake();
    const isIdle = (): boolean | undefined => imapAdapter.isIdle?.(client as unknown as ImapInside);
    expect(isIdle()).to.equal(false); // not connected
    await client.connect();
    expect(isIdle()).to.equal(true);
    client.currentRequest = { command: 'FETCH' };
    expect(isIdle()).to.equal(false);
    client.currentRequest = { command: 'IDLE' };
    client.idling = true;
    expect(isIdle()).to.equal(true);
    client.requestQueue = [{}];
    expect(isIdle()).to.equal(false);

    const beat = imapAdapter.beat?.(client as unknown as ImapInside);
    client.idling = false; // as NOOP makes it
    await beat;
    expect(client.asked).to.deep.equal(['NOOP']);
    expect(client.idling).to.equal(true);
  });
});

describe('a position in a mailbox', () => {
  it('rules out news by UIDNEXT, else by HIGHESTMODSEQ, else not at all', () => {
    const at = { uidValidity: 7n, uidNext: 5, highestModseq: 9n };
    expect(mayHoldNews({ ...NUMBERING, uidNext: 5, highestModseq: 10n }, at)).to.equal(false);
    expect(mayHoldNews({ ...NUMBERING, uidNext: 6, highestModseq: 9n }, at)).to.equal(true);
    expect(mayHoldNews({ ...NUMBERING, highestModseq: 9n }, at)).to.equal(false);
    expect(mayHoldNews({ ...NUMBERING, highestModseq: 10n }, at)).to.equal(true);
    expect(mayHoldNews(NUMBERING, at)).to.equal(true);
  });

  it('lies past what is there, or before it', () => {
    expect(endOf({ ...NUMBERING, uidNext: 5, highestModseq: 9n })).to.include({
      uidNext: 5,
      highestModseq: 9n,
    });
    expect(endOf(NUMBERING, 4)).to.include({ uidNext: 5 });
    expect(startOf({ ...NUMBERING, uidNext: 5 })).to.deep.equal({ uidValidity: 7n, uidNext: 1 });
  });
});

describe('a supervised mailbox', () => {
  const quick = { heartbeat: false, reconnect: { minTimeout: 1, maxTimeout: 1 } } as const;

  it('gives what lies past `since` in order, and not the last message where it lies before', async () => {
    const since = { uidValidity: 7n, uidNext: 3 };
    const client = fake({}, [1, 2, 3, 5, 8]);
    const mailbox = superviseMailbox({ open: () => client, since, ...quick });
    expect(await take(mailbox, 3)).to.deep.equal([3, 5, 8]);
    client.emit('exists'); // and yet nothing new: the search finds the last one again
    const next = take(mailbox, 1);
    await nextLoop();
    expect(client.asked.filter(request => request === 'SEARCH 9:*')).to.have.length(1);
    client.uids.push(9);
    client.emit('exists');
    expect(await next).to.deep.equal([9]);
    expect(mailbox.position).to.include({ uidNext: 10 });
    await mailbox.close();
  });

  it('passes over a message that was expunged before it could be fetched', async () => {
    const client = fake({}, [1, 2, 3]);
    client.onFetch = () => client.uids.splice(0, 1);
    const mailbox = superviseMailbox({
      open: () => client,
      since: { uidValidity: 7n, uidNext: 1 },
      ...quick,
    });
    expect(await take(mailbox, 2)).to.deep.equal([2, 3]);
    await mailbox.close();
  });

  it('gives a message whose connection was lost under its fetch by way of the next client, once', async () => {
    const first = fake({}, [1, 2, 3]);
    const second = fake({}, [1, 2, 3, 4]);
    const clients = [first, second];
    const open = (): FakeClient => clients.shift() ?? expect.fail('one client too many');
    const mailbox = superviseMailbox({ open, since: { uidValidity: 7n, uidNext: 1 }, ...quick });
    expect(await take(mailbox, 1)).to.deep.equal([1]);
    first.onFetch = () => first.die(new Error('reset'));
    expect(await take(mailbox, 3)).to.deep.equal([2, 3, 4]);
    await mailbox.close();
  });

  it('gives all of a mailbox that was numbered anew, and says so', async () => {
    const since = { uidValidity: 6n, uidNext: 100 };
    const renumbered: MailboxPosition[] = [];
    const mailbox = superviseMailbox({
      open: () => fake({}, [1, 2]),
      since,
      onRenumbered: (...positions) => renumbered.push(...positions),
      ...quick,
    });
    expect(await take(mailbox, 2)).to.deep.equal([1, 2]);
    expect(renumbered).to.deep.equal([since, { uidValidity: 7n, uidNext: 1 }]);
    await mailbox.close();
  });

  it('starts behind the last message where the server keeps UIDNEXT to itself', async () => {
    const client = fake({ uidNext: undefined }, [1, 4]);
    const mailbox = superviseMailbox({ open: () => client, ...quick });
    await mailbox.session.run(() => undefined);
    expect(mailbox.position).to.include({ uidNext: 5 });
    await mailbox.close();
  });

  it('ends its iteration when it is closed, and when its client is ended by its user', async () => {
    const closed = superviseMailbox({ open: () => fake(), ...quick });
    const next = closed[Symbol.asyncIterator]().next();
    await closed.close();
    expect(await next).to.deep.equal({ value: undefined, done: true });

    const client = fake();
    const ended = superviseMailbox({ open: () => client, ...quick });
    await ended.session.run(() => undefined);
    const last = ended[Symbol.asyncIterator]().next();
    client.close();
    expect(await last).to.deep.equal({ value: undefined, done: true });
  });
});

function fake(selected?: Partial<ImapMailbox>, uids?: number[]): FakeClient {
  return new FakeClient(selected, uids);
}

async function take(mailbox: AsyncIterable<{ uid: number }>, count: number): Promise<number[]> {
  const arrivals = mailbox[Symbol.asyncIterator]();
  const uids: number[] = [];
  while (uids.length < count) {
    const next = await arrivals.next();
    if (next.done === true) return expect.fail('the mailbox has ended');
    uids.push(next.value.uid);
  }
  return uids;
}
