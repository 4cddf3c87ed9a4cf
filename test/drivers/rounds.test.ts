import { expect } from 'chai';
import { until, useNatLab } from '../support/nat.js';
import { knownFlows } from './rounds/known-flows.js';
import { Running } from './rounds/running.js';
import { useLedgers, type Ledger, type ServerName } from './rounds/servers.js';

const ROUNDS = 20;
/** A round takes a fraction of a second. One that hangs takes minutes; one that is short of processor time, seconds. */
const SLOW_MS = 3000;
const HANG_MS = 10_000;
/** How many start at a time: one that is short of time for 3 s while it logs in loses its connection to the NAT. */
const START_AT_ONCE = 2;

interface Application {
  /** A file of `rounds/`. */
  readonly name: string;
  readonly server: ServerName;
  /** How many connections it holds, where it is to keep them awake. */
  readonly awake: number;
}

/** Found dead by the gate in each round, and replaced. */
const GATED = [
  { name: 'pg-pool', server: 'postgres' },
  { name: 'pg-session', server: 'postgres' },
  { name: 'mysql2-pool', server: 'mariadb' },
  { name: 'mysql2-session', server: 'mariadb' },
  { name: 'ioredis-client', server: 'redis' },
  { name: 'redis-client', server: 'redis' },
  { name: 'redis-session', server: 'redis' },
  { name: 'imapflow-session', server: 'dovecot' },
  { name: 'imapflow-mailbox', server: 'dovecot' },
] as const;
/** Kept awake: by keepalive and heartbeats, by keepalive alone, and by heartbeats alone. */
const AWAKE: readonly Application[] = [
  { name: 'pg-pool', server: 'postgres', awake: 3 * 2 },
  { name: 'pg-client', server: 'postgres', awake: 3 },
  { name: 'pg-session', server: 'postgres', awake: 3 },
  { name: 'mysql2-pool', server: 'mariadb', awake: 3 * 3 },
  { name: 'mysql2-connection', server: 'mariadb', awake: 3 },
  { name: 'mysql2-session', server: 'mariadb', awake: 3 },
  { name: 'ioredis-client', server: 'redis', awake: 3 },
  // It has a connection of its own for subscriptions, which nobody keeps awake.
  { name: 'ioredis-cluster', server: 'redisCluster', awake: 3 },
  { name: 'redis-client', server: 'redis', awake: 3 },
  { name: 'redis-session', server: 'redis', awake: 3 },
  { name: 'imapflow-client', server: 'dovecot', awake: 3 },
  { name: 'imapflow-session', server: 'dovecot', awake: 3 },
  { name: 'imapflow-mailbox', server: 'dovecot', awake: 3 },
];

interface Participant {
  readonly ledger: Ledger;
  readonly app: Running;
}

/** A NAT of its own, with servers behind it. The applications of both modes run at the same time. */
function place(expiry: 'reset-on-packet' | 'drop') {
  const nat = useNatLab({ idleTimeout: '3s', expiry });
  const makeLedger = useLedgers(nat);
  before(() => nat.lab.enter('host')); // where the other mode's NAT is to be made
  const gated = new Map<string, Participant>();
  const awake = new Map<string, Participant>();
  const all = (): Participant[] => [...gated.values(), ...awake.values()];

  /** The thread is in one network at a time: nothing else may go on meanwhile. */
  async function onClientSide<T>(fn: () => Promise<T>): Promise<T> {
    nat.lab.enter('client');
    try {
      return await fn();
    } finally {
      nat.lab.enter('host');
    }
  }

  async function prepare(name: string, server: ServerName, arm: 'gate' | 'awake'): Promise<Participant> {
    const ledger = await makeLedger(server, arm === 'gate');
    const app = new Running({ name, arm, url: ledger.url, place: ledger.place });
    return { ledger, app };
  }

  async function startAll(): Promise<void> {
    const waiting = all();
    const startInTurn = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        await next.app.start(nat.lab);
    };
    await Promise.all(Array.from({ length: START_AT_ONCE }, startInTurn));
  }

  return {
    expiry,
    gated,
    awake,
    prepare: () =>
      onClientSide(async () => {
        for (const { name, server } of GATED) gated.set(name, await prepare(name, server, 'gate'));
        for (const { name, server } of AWAKE) awake.set(name, await prepare(name, server, 'awake'));
      }),
    async play(): Promise<void> {
      const { lab } = nat;
      const allOf = (what: (participant: Participant) => Promise<unknown>): Promise<unknown> =>
        Promise.all(all().map(what));
      await startAll();
      for (let round = 1; round <= ROUNDS; round++) {
        const doomed = [...gated.values()].flatMap(({ app }) => (app.hasEnded ? [] : app.connections));
        await until('the NAT forgets the connections of those that have only the gate', async () => {
          const known = await knownFlows(lab);
          return !doomed.some(connection => known.has(connection));
        });
        if (round % 5 === 0) await allOf(async ({ ledger }) => ledger.tidyUp?.());
        const known = await knownFlows(lab);
        await allOf(({ app }) => app.work(known));
      }
      await allOf(({ app }) => app.finish());
    },
    written: ({ ledger }: Participant): Promise<number[]> => onClientSide(() => ledger.written()),
  };
}

describe(`applications of hardened drivers, in ${ROUNDS} rounds of silence and work behind a NAT that forgets after 3 s`, function () {
  this.timeout(60_000); // ten servers start
  const places = [place('reset-on-packet'), place('drop')];

  before(async function () {
    this.timeout(10 * 60_000);
    for (const { prepare } of places) await prepare();
    await Promise.all(places.map(({ play }) => play()));
  });

  for (const { expiry, gated, awake, written } of places) {
    function itSeesNothing(title: string, find: () => Participant | undefined, survivors: number): void {
      it(`${title} (${expiry})`, async () => {
        const participant = find();
        if (participant === undefined) throw new Error('it did not start');
        const { app } = participant;
        expect(app.errors, 'errors').to.deep.equal([]);
        expect(app.stderr, 'stderr').to.equal('');
        expect(app.end, 'exit code').to.equal(0);
        expect(app.rounds, 'rounds').to.have.length(1 + ROUNDS);
        const total = app.rounds.at(-1)?.written ?? 0;
        expect(total).to.be.at.least(1 + ROUNDS);
        const each = Array.from({ length: total }, (_, index) => index + 1);
        expect(await written(participant), 'what the server has').to.deep.equal(each);
        expect(app.times[ROUNDS / 2], 'ms of the usual round').to.be.below(SLOW_MS);
        expect(app.times.at(-1), 'ms of the slowest round').to.be.below(HANG_MS);
        const wereThere = app.rounds.filter(({ connections }) => connections.length > 0);
        expect(wereThere, 'rounds with connections').to.have.length(1 + ROUNDS);
        expect(app.survivors, 'connections that outlived the silence').to.deep.equal(
          Array(ROUNDS).fill(survivors),
        );
      });
    }

    for (const { name } of GATED) {
      const title = `${name}: each round finds its connections dead, no error, each write once`;
      itSeesNothing(title, () => gated.get(name), 0);
    }
    for (const { name, awake: connections } of AWAKE) {
      const title = `${name}: its connections are kept awake, no error, each write once`;
      itSeesNothing(title, () => awake.get(name), connections);
    }
  }
});
