import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { until, useNatLab, type NatFixture, type NatServer } from '../support/nat.js';
import { useDovecot } from '../support/servers/dovecot-fixture.js';
import { useMariadb } from '../support/servers/mariadb.js';
import { requireMongo, startMongo, type MongoServer } from '../support/servers/mongo.js';
import { useRedis } from '../support/servers/redis.js';
import { usePostgres } from '../support/servers/use-postgres.js';
import type { Line } from './register/application.js';

const REGISTER = ['--import', new URL('../../src/register.js', import.meta.url).href];
const KEEPALIVE = { HOLDFAST_KEEPALIVE_IDLE: '1s', HOLDFAST_KEEPALIVE_INTERVAL: '1s' };
/** Nothing but the gate can help. */
const GATE = { HOLDFAST_KEEPALIVE_IDLE: '1h', HOLDFAST_PROBE_AFTER_IDLE: '1s', HOLDFAST_LEARN: 'false' };

type Expiry = 'reset-on-packet' | 'drop';

/** What an application sees that works again on a forgotten flow. */
type Fate =
  /** It gets its answer: the driver connects again by itself. */
  | 'answer'
  /** It gets an error. Later work succeeds. */
  | 'error'
  /** It gets an error, and has to open a new client. */
  | 'final error'
  /** The process ends by an error that nobody listens for. */
  | 'crash'
  /** Nothing, for as long as the hardened ones take to learn the truth. */
  | 'nothing';

interface Application {
  /** A file of `register/`. */
  readonly name: string;
  readonly url: () => string;
  readonly bare: Readonly<Record<Expiry, Fate>>;
  /** With the gate alone, in both modes. */
  readonly gated: Fate;
  /** How many connections it holds. Default: 1. */
  readonly flows?: number;
}

/** A running application, and what became of it. */
class Running {
  readonly name: string;
  stderr = '';
  code: number | null | undefined;
  #stdout = '';
  readonly #child: ChildProcess;

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.stdout?.on('data', chunk => (this.#stdout += String(chunk)));
    child.stderr?.on('data', chunk => (this.stderr += String(chunk)));
    child.stdin?.on('error', () => undefined); // it has crashed
    child.once('close', code => (this.code = code));
  }

  get lines(): Line[] {
    return this.#stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Line);
  }

  get hasEnded(): boolean {
    return this.code !== undefined;
  }

  get fate(): Fate {
    if (!this.hasEnded) return 'nothing';
    const result = this.lines[1];
    if (result === undefined) return 'crash';
    if (result.error === undefined) return 'answer';
    return result.isUsableAgain === true ? 'error' : 'final error';
  }

  workAgain(): void {
    this.#child.stdin?.end('go');
  }

  async end(): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

/** Runs each of them bare, kept awake and with the gate alone, all at the same time, in both modes. */
function itSaves(
  nat: NatFixture,
  applications: readonly Application[],
  cleanUp: () => void = () => undefined,
): void {
  function start({ name, url }: Application, nodeOptions: string[], env: NodeJS.ProcessEnv): Running {
    const file = fileURLToPath(new URL(`register/${name}.js`, import.meta.url));
    const child = nat.lab.spawn('client', process.execPath, [...nodeOptions, file], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', LAB_URL: url(), ...env },
    });
    return new Running(name, child);
  }

  const established = async (): Promise<number> =>
    (await nat.lab.flows()).filter(({ state }) => state === 'ESTABLISHED').length;

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    it(`answers under register, and tells what it can not save (${expiry})`, async function () {
      this.timeout(40_000);
      await nat.lab.configure({ expiry });
      const bare = applications.map(each => start(each, [], {}));
      const kept = applications.map(each => start(each, REGISTER, KEEPALIVE));
      const gated = applications.map(each => start(each, REGISTER, GATE));
      const all = [...bare, ...kept, ...gated];
      try {
        await until('all have worked once', () =>
          all.every(({ lines, hasEnded }) => hasEnded || lines.length === 1),
        );
        for (const { name, code, stderr } of all) expect(code, `${name}: ${stderr}`).to.equal(undefined);
        const awake = applications.reduce((sum, { flows = 1 }) => sum + flows, 0);
        await until(
          'the NAT forgets all but the flows kept awake',
          async () => (await established()) <= awake,
        );
        expect(await established(), 'flows kept awake').to.equal(awake);
        for (const each of all) each.workAgain();

        const hasOutcome = ({ name, hasEnded }: Running): boolean =>
          hasEnded || applications.find(each => each.name === name)?.bare[expiry] === 'nothing';
        await until(
          'the hardened ones end, and the bare ones that can',
          () => [...kept, ...gated].every(({ hasEnded }) => hasEnded) && bare.every(hasOutcome),
        ).catch((error: unknown) => {
          const left = all.filter(({ hasEnded }) => !hasEnded).map(({ name }) => name);
          throw new Error(`still running: ${left.join(', ')}`, { cause: error });
        });

        const fates = (running: readonly Running[]): object =>
          Object.fromEntries(running.map(({ name, fate }) => [name, fate]));
        const expected = (fate: (application: Application) => Fate): object =>
          Object.fromEntries(applications.map(each => [each.name, fate(each)]));
        expect(fates(kept), 'kept awake').to.deep.equal(expected(() => 'answer'));
        expect(fates(gated), 'with the gate alone').to.deep.equal(expected(({ gated: fate }) => fate));
        expect(fates(bare), 'bare').to.deep.equal(expected(({ bare: fate }) => fate[expiry]));
        for (const { name, stderr } of kept) expect(stderr, name).to.equal('');
      } finally {
        await Promise.all(all.map(each => each.end()));
        cleanUp();
      }
    });
  }
}

describe('applications that know nothing of holdfast, behind a NAT that forgets after 3 s', () => {
  describe('pg and mysql2', () => {
    const nat = useNatLab({ idleTimeout: '3s' });
    const postgres = usePostgres(nat);
    const mariadb = useMariadb(nat);
    const postgresUrl = (): string => {
      const { host, port, user, database } = postgres.config;
      return `postgres://${user}@${host}:${port}/${database}`;
    };
    const mysqlUrl = (): string => {
      const { host, port, user, database } = mariadb.config;
      return `mysql://${user}@${host}:${port}/${database}`;
    };
    itSaves(nat, [
      {
        name: 'pg-client',
        url: postgresUrl,
        bare: { 'reset-on-packet': 'final error', drop: 'nothing' },
        gated: 'final error',
      },
      {
        name: 'pg-client-deaf',
        url: postgresUrl,
        bare: { 'reset-on-packet': 'crash', drop: 'nothing' },
        gated: 'crash',
      },
      {
        name: 'pg-pool',
        url: postgresUrl,
        bare: { 'reset-on-packet': 'error', drop: 'nothing' },
        gated: 'error',
      },
      {
        name: 'mysql2-connection',
        url: mysqlUrl,
        bare: { 'reset-on-packet': 'final error', drop: 'nothing' },
        gated: 'final error',
      },
    ]);
  });

  describe('ioredis, redis, an HTTP agent and fetch', () => {
    const nat = useNatLab({ idleTimeout: '3s' });
    const cache = useRedis(nat);
    // It says how long it keeps a connection, which clients heed: it must not be why they open another.
    const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => response.end('here'));
    let behind: NatServer | undefined;
    before(() => void (behind = nat.serve(socket => server.emit('connection', socket))));
    const httpUrl = (): string => `http://${nat.lab.serverAddress}:${behind?.port ?? 0}/`;
    const hangUp = (): void => behind?.sockets.forEach(socket => socket.destroy());
    itSaves(
      nat,
      [
        {
          name: 'ioredis-client',
          url: () => cache.url,
          bare: { 'reset-on-packet': 'answer', drop: 'nothing' },
          gated: 'answer',
        },
        {
          name: 'redis-client',
          url: () => cache.url,
          bare: { 'reset-on-packet': 'error', drop: 'nothing' },
          gated: 'error',
        },
        {
          name: 'http-agent',
          url: httpUrl,
          bare: { 'reset-on-packet': 'error', drop: 'nothing' },
          gated: 'error',
        },
        {
          name: 'fetch',
          url: httpUrl,
          bare: { 'reset-on-packet': 'error', drop: 'nothing' },
          gated: 'error',
        },
      ],
      hangUp,
    );
  });

  describe('imapflow', () => {
    const nat = useNatLab({ idleTimeout: '3s' });
    const imap = useDovecot(nat);
    itSaves(nat, [
      {
        name: 'imapflow-client',
        url: () => `imap://user:${imap.server.password}@${nat.lab.serverAddress}:${imap.server.port}/`,
        bare: { 'reset-on-packet': 'final error', drop: 'nothing' },
        gated: 'final error',
      },
    ]);
  });

  describe('mongodb', () => {
    const nat = useNatLab({ idleTimeout: '3s' });
    let server: MongoServer | undefined;
    before(requireMongo);
    before(async () => void (server = await startMongo(nat.lab)));
    after(async () => {
      await server?.stop();
      server = undefined;
    });
    itSaves(nat, [
      {
        name: 'mongodb-client',
        url: () => `mongodb://${nat.lab.serverAddress}:${server?.port ?? 0}/`,
        bare: { 'reset-on-packet': 'error', drop: 'nothing' },
        gated: 'error',
        flows: 2,
      },
    ]);
  });
});
