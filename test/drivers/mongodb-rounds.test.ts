import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createNatLab, type Expiry, type NatLab } from '../../src/lab/index.js';
import { requireKernelNat, until } from '../support/nat.js';
import { requireMongo, startMongo } from '../support/servers/mongo.js';
import type { Arm, Inserted, Round } from './rounds/mongodb-client.js';

const ROUNDS = 20;
/** A round takes a fraction of a second. One that hangs takes minutes; one that is short of processor time, seconds. */
const HANG_MS = 10_000;
/** Two inserts a round with each client, which begin before the first silence. */
const NUMBERS = Array.from({ length: 2 * (ROUNDS + 1) }, (_, index) => index + 1);
/** Flows that are kept awake: by keepalive two of the pool and the monitor's, by heartbeats two of the pool. */
const AWAKE = 3 + 2;
const ARMS: Readonly<Record<Arm, string>> = {
  gate: 'the gate alone',
  keepalive: 'keepalive of 1 s',
  heartbeat: 'a heartbeat of 1 s',
};
const EXPIRIES = ['reset-on-packet', 'drop'] as const;

interface Outcome {
  readonly rounds: readonly Round[];
  readonly inserted: Inserted;
  readonly code: number | null;
}

interface Played extends Readonly<Record<Arm, Outcome>> {
  /** Flows that were left after each silence. */
  readonly awake: readonly number[];
}

describe('20 rounds of silence and work on hardened mongodb clients, the NAT forgets after 3 s', () => {
  const labs: NatLab[] = [];
  let played: ReadonlyMap<Expiry, Played>;

  before(requireKernelNat);
  before(requireMongo);
  // Both NATs at the same time, each with a server and applications of its own.
  before(async function () {
    this.timeout(150_000);
    played = new Map(await Promise.all(EXPIRIES.map(async expiry => [expiry, await play(expiry)] as const)));
  });
  after(async () => {
    for (const lab of labs) await lab.close();
  });

  async function play(expiry: Expiry): Promise<Played> {
    const lab = await createNatLab({ idleTimeout: '3s', expiry, backend: 'kernel' });
    labs.push(lab);
    const server = await startMongo(lab);
    const [gate, keepalive, heartbeat] = (['gate', 'keepalive', 'heartbeat'] as const).map(
      arm => new App(lab, server.port, arm),
    ) as [App, App, App];
    const apps = [gate, keepalive, heartbeat];
    const awake: number[] = [];
    const established = async (): Promise<number> =>
      (await lab.flows()).filter(({ state }) => state === 'ESTABLISHED').length;
    for (let round = 0; round <= ROUNDS; round++) {
      if (round > 0) {
        await until('the NAT forgets what nobody keeps awake', async () => (await established()) <= AWAKE);
        awake.push(await established());
      }
      await Promise.all(apps.map(app => app.work()));
    }
    const played = {
      gate: await gate.end(),
      keepalive: await keepalive.end(),
      heartbeat: await heartbeat.end(),
      awake,
    };
    await server.stop();
    return played;
  }

  for (const expiry of EXPIRIES) {
    describe(`and then answers with ${expiry === 'drop' ? 'silence' : 'a reset'}`, () => {
      const outcome = (): Played => played.get(expiry) ?? expect.fail('it was not played');

      it('takes the connections with the gate alone each time, and no other', () => {
        expect(outcome().awake).to.deep.equal(Array(ROUNDS).fill(AWAKE));
      });

      for (const arm of Object.keys(ARMS) as Arm[]) {
        it(`costs a client with ${ARMS[arm]} no insert, each is there once, no round hangs`, () => {
          const { rounds, inserted, code } = outcome()[arm];
          expect(rounds.flatMap(({ errors }) => errors)).to.deep.equal([]);
          expect(inserted).to.deep.equal(NUMBERS);
          expect(Math.max(...rounds.map(({ milliseconds }) => milliseconds))).to.be.below(HANG_MS);
          expect(code, 'exit code').to.equal(0);
        });
      }
    });
  }
});

/** One application, behind the NAT. */
class App {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  readonly #lines: AsyncIterator<string>;
  readonly #rounds: Round[] = [];

  constructor(lab: NatLab, port: number, arm: Arm) {
    const query = 'directConnection=true&heartbeatFrequencyMS=3600000&serverMonitoringMode=poll';
    const url = `mongodb://${lab.serverAddress}:${port}/?${query}`;
    const program = fileURLToPath(new URL('./rounds/mongodb-client.js', import.meta.url));
    this.#child = lab.spawn('client', process.execPath, [program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, LAB_URL: url, LAB_ARM: arm },
    });
    if (this.#child.stdout === null) throw new Error('the application needs its pipes');
    this.#closed = once(this.#child, 'close');
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  async work(): Promise<void> {
    this.#child.stdin?.write('\n');
    this.#rounds.push((await this.#answer()) as Round);
  }

  async end(): Promise<Outcome> {
    this.#child.stdin?.end();
    const inserted = (await this.#answer()) as Inserted;
    const [code] = (await this.#closed) as [number | null];
    return { rounds: this.#rounds, inserted, code };
  }

  async #answer(): Promise<unknown> {
    const line = (await this.#lines.next()) as IteratorResult<string, undefined>;
    if (line.done === true) throw new Error('the application has ended');
    return JSON.parse(line.value) as unknown;
  }
}
