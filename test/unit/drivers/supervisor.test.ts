import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import type { ClientAdapter } from '../../../src/drivers/adapter.js';
import type { SupervisedEvents, SuperviseOptions } from '../../../src/drivers/supervise.js';
import { Supervisor } from '../../../src/drivers/supervisor.js';
import { rememberVerdict } from '../../../src/guard/autopsy.js';
import type { Verdict } from '../../../src/guard/verdict.js';
import { Holdfast } from '../../../src/holdfast.js';
import { FakeClock } from '../../support/fake-clock.js';

class FakeClient extends EventEmitter {
  isClosed = false;
  beats = 0;
  constructor(readonly number: number) {
    super();
  }
}

const adapter: ClientAdapter<FakeClient> = {
  onLost(client, lost) {
    client.once('lost', lost);
    return () => client.off('lost', lost);
  },
  close: client => void (client.isClosed = true),
};

/** Holds what a hook was asked until the test answers. */
interface Gate<T> {
  promise: Promise<T>;
  open(value: T): void;
  fail(error: Error): void;
}

function gate<T>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

describe('supervise', () => {
  let clock: FakeClock;
  let clients: FakeClient[];
  let told: string[];

  beforeEach(() => {
    clock = new FakeClock();
    clients = [];
    told = [];
  });

  function open(): FakeClient {
    const client = new FakeClient(clients.length + 1);
    clients.push(client);
    return client;
  }

  function start(options: Partial<SuperviseOptions<FakeClient>> = {}): Supervisor<FakeClient> {
    const reconnect = { minTimeout: 100, maxTimeout: 400, ...options.reconnect };
    const session = new Supervisor(
      { open, adapter, holdfast: new Holdfast(), ...options, reconnect },
      { clock, random: () => 0.5 },
    );
    const events: (keyof SupervisedEvents)[] = ['lost', 'attempted', 'resumed', 'closed'];
    for (const event of events) session.on(event, payload => told.push(line(event, payload)));
    return session;
  }

  it('opens a client and gives it to run()', async () => {
    const session = start();
    expect(session.state).to.equal('opening');
    expect(session.current).to.equal(undefined);
    expect(await session.run(client => client.number)).to.equal(1);
    expect(session.current).to.equal(clients[0]);
    await session.close();
    expect(clients[0]?.isClosed).to.equal(true);
    expect(told).to.deep.equal(['attempted 1 0', 'closed']);
  });

  it('opens another when it is lost, with the resume hook before anybody else', async () => {
    const order: string[] = [];
    const session = start({
      resume: (client, { generation, verdict }) =>
        order.push(`resume ${client.number} ${generation} ${verdict?.cause ?? '?'}`),
    });
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    expect(session.state).to.equal('reopening');
    expect(clients[0]?.isClosed).to.equal(true);
    const work = session.run(client => order.push(`run ${client.number}`));
    await elapse(clock, 50);
    await work;
    expect(order).to.deep.equal(['resume 2 2 nat-eviction', 'run 2']);
    expect(session.generation).to.equal(2);
    expect(told).to.deep.equal([
      'attempted 1 0',
      'lost 1 nat-eviction',
      'attempted 1 50',
      'resumed 2 nat-eviction 50',
    ]);
    await session.close();
  });

  it('tries again with growing delays and jitter after the cap, and says why', async () => {
    let failures = 4;
    const session = start({
      open: () => {
        if (clients.length > 0 && failures-- > 0) throw new Error('not yet');
        return open();
      },
    });
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('path-timeout'));
    await elapse(clock, 2000);
    expect(told.slice(2)).to.deep.equal([
      'attempted 1 50 not yet',
      'attempted 2 100 not yet',
      'attempted 3 200 not yet',
      'attempted 4 200 not yet',
      'attempted 5 200',
      'resumed 2 path-timeout 750',
    ]);
    await session.close();
  });

  it('counts a hook that fails as a failed attempt, and ends that client', async () => {
    let calls = 0;
    const session = start({
      resume: () => {
        if (++calls === 1) throw new TypeError('no such table');
      },
    });
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    await elapse(clock, 1000);
    expect(session.current).to.equal(clients[2]);
    expect(clients[1]?.isClosed).to.equal(true);
    expect(told[2]).to.equal('attempted 1 50 the resume hook failed on client 2: no such table');
    await session.close();
  });

  it('counts a client that is lost while it is being resumed as a failed attempt', async () => {
    const hook = gate<unknown>();
    const session = start({ resume: client => (client.number === 2 ? hook.promise : undefined) });
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    await elapse(clock, 50);
    clients[1]?.emit('lost', death('nat-eviction'));
    await elapse(clock, 100);
    expect(session.current).to.equal(clients[2]);
    hook.open(undefined);
    await session.close();
  });

  it('ends an attempt at its deadline, and the client that comes too late', async () => {
    const slow = gate<FakeClient>();
    let signal: AbortSignal | undefined;
    const session = start({
      reconnect: { deadline: 1000 },
      open: attempt => {
        if (attempt.generation === 1 || signal !== undefined) return open();
        signal = attempt.signal;
        return slow.promise;
      },
    });
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    await elapse(clock, 1050);
    expect(signal?.aborted).to.equal(true);
    expect(told[2]).to.match(/attempted 1 50 .*within 1000 ms/);
    await elapse(clock, 100);
    expect(session.current).to.equal(clients[1]);
    const late = new FakeClient(99);
    slow.open(late);
    await settle();
    expect(late.isClosed).to.equal(true);
    await session.close();
  });

  it('does not try again when the first client can’t be opened', async () => {
    const refused = new Error('password authentication failed');
    const session = start({ open: () => Promise.reject(refused) });
    expect(await failure(session.run(() => undefined))).to.equal(refused);
    expect(session.state).to.equal('closed');
    const later = await failure(session.run(() => undefined));
    expect(later).to.include({ code: 'ERR_HOLDFAST_CLOSED', cause: refused });
    expect(told).to.deep.equal([
      'attempted 1 0 password authentication failed',
      'closed password authentication failed',
    ]);
    await session.close();
  });

  it('gives up after the retries, and rejects who waits', async () => {
    const session = start({
      reconnect: { retries: 1 },
      open: ({ generation }) => {
        if (generation > 1) throw new Error('gone');
        return open();
      },
    });
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    const waiting = failure(session.run(() => undefined));
    await elapse(clock, 1000);
    expect(await waiting).to.include({ code: 'ERR_HOLDFAST_RECONNECT_FAILED', attempts: 2 });
    expect(told.at(-1)).to.match(/^closed gave up after 2 attempts/);
  });

  it('reopens after what `on` says, and by default after any loss but its user’s doing', async () => {
    const cases: [SuperviseOptions<FakeClient>['reconnect'], Error | undefined, boolean][] = [
      [{}, death('peer-closed'), true],
      [{}, new Error('without a verdict'), true],
      [{}, undefined, false],
      [{ on: 'nat' }, death('peer-closed'), false],
      [{ on: 'nat' }, death('path-timeout'), true],
      [{ on: 'nat' }, new Error('without a verdict'), false],
      [{ on: verdict => verdict?.cause === 'peer-reset' }, death('peer-reset'), true],
    ];
    for (const [reconnect, error, reopens] of cases) {
      clients = [];
      const session = start({ reconnect });
      await session.run(() => undefined);
      clients[0]?.emit('lost', error);
      expect(session.state).to.equal(reopens ? 'reopening' : 'closed');
      await session.close();
    }
  });

  it('calls fn again on the next client where nothing was sent, and only there', async () => {
    const session = start();
    await session.run(() => undefined);
    let calls = 0;
    const work = session.run(client => {
      if (++calls > 1) return client.number;
      const error = death('nat-eviction');
      client.emit('lost', error);
      throw error;
    });
    await elapse(clock, 50);
    expect(await work).to.equal(2);
    const sent = death('nat-eviction', 'uncertain');
    expect(await failure(session.run(() => Promise.reject(sent)))).to.equal(sent);
    expect(session.current).to.equal(clients[1]);
    await session.close();
  });

  it('is closed by close() in whatever state, once, and ends the client that is still to come', async () => {
    const slow = gate<FakeClient>();
    const session = start({ open: () => slow.promise });
    const waiting = failure(session.run(() => undefined));
    const closing = session.close();
    expect(session.close()).to.equal(closing);
    await closing;
    expect(await waiting).to.include({ code: 'ERR_HOLDFAST_CLOSED' });
    const late = new FakeClient(1);
    slow.open(late);
    await settle();
    expect(late.isClosed).to.equal(true);

    const suspended = start();
    await suspended.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    await suspended.close();
    await elapse(clock, 10_000);
    expect(clients).to.have.length(1);
    expect(told.filter(event => event === 'closed')).to.have.length(2);
    expect(clock.pending).to.deep.equal([]);
  });

  it('drops a loss told by a client it has replaced', async () => {
    const session = start();
    await session.run(() => undefined);
    clients[0]?.emit('lost', death('nat-eviction'));
    await elapse(clock, 50);
    clients[0]?.emit('lost', death('nat-eviction'));
    expect(session.current).to.equal(clients[1]);
    await session.close();
  });

  it('beats on an idle client, and takes one that does not answer for lost', async () => {
    const beating: ClientAdapter<FakeClient> = {
      ...adapter,
      beat: client => (++client.beats < 3 ? Promise.resolve() : gate<undefined>().promise),
    };
    const session = start({ adapter: beating, heartbeat: { interval: 1000, timeout: 500 } });
    const working = gate<undefined>();
    const work = session.run(() => working.promise);
    await elapse(clock, 5000);
    expect(clients[0]?.beats).to.equal(0);
    working.open(undefined);
    await work;
    for (let beat = 0; beat < 3; beat++) await elapse(clock, 1000);
    expect(clients[0]?.beats).to.equal(3);
    await elapse(clock, 510); // the timeout, and the last look
    expect(session.state).to.equal('reopening');
    await session.close();
  });

  it('refuses what is not a function', async () => {
    expect(() => start({ open: 1 as unknown as () => FakeClient })).to.throw(/open must be a function/);
    const session = start();
    expect(await failure(session.run(1 as unknown as () => void))).to.include({
      code: 'ERR_HOLDFAST_ARGUMENT',
    });
    await session.close();
  });
});

function line(event: string, payload: object): string {
  const { attempt, delay, error, generation, verdict, downtime } = payload as {
    attempt?: number;
    delay?: number;
    error?: Error;
    generation?: number;
    verdict?: Verdict;
    downtime?: number;
  };
  const message = event === 'lost' ? undefined : error?.message;
  const parts = [event, attempt, delay, generation, verdict?.cause, downtime, message];
  return parts.filter(part => part !== undefined).join(' ');
}

function death(cause: Verdict['cause'], delivery: Verdict['delivery'] = 'never-sent'): Error {
  const error = new Error(cause);
  const bytes = { sent: 0, acknowledged: 0, unacknowledged: 0, unsent: 0, queued: 0, received: 0 };
  rememberVerdict(error, {
    cause,
    confidence: 0.9,
    code: undefined,
    silence: 5000,
    delivery,
    bytes,
    evidence: [],
    target: undefined,
    at: 0,
  });
  return error;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** Moves the clock in small steps, so that promises settle in between as they would. */
async function elapse(clock: FakeClock, ms: number): Promise<void> {
  await settle();
  for (let left = ms; left > 0; left -= 50) {
    clock.advance(Math.min(50, left));
    await settle();
  }
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  );
}
