import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createNatLab, type Flow, type NatLab, type NatSettings } from '../../src/lab/index.js';

let missing: Promise<string | undefined> | undefined;

/**
 * For `before(requireKernelNat)`: skips the suite where the kernel NAT can't be built or entered, and names what is
 * missing. With HOLDFAST_TEST_FULL=1 it fails instead.
 */
export async function requireKernelNat(this: Mocha.Context): Promise<void> {
  missing ??= findMissing();
  const capability = await missing;
  if (capability === undefined) return;
  if (process.env['HOLDFAST_TEST_FULL'] === '1') throw new Error(`HOLDFAST_TEST_FULL=1, but ${capability}`);
  this.test?.parent?.eachTest(test => (test.title += ` (skipped: ${capability})`));
  this.skip();
}

async function findMissing(): Promise<string | undefined> {
  try {
    const lab = await createNatLab({ backend: 'kernel' });
    try {
      lab.inside('client', () => undefined);
    } finally {
      await lab.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A server behind the NAT, run by this process. */
export interface NatServer {
  /** Where clients reach it. */
  readonly host: string;
  readonly host6: string | undefined;
  readonly port: number;
  readonly server: Server;
  /** Every connection accepted so far. */
  readonly sockets: readonly Socket[];
  /** Everything received so far on any connection, as text. */
  readonly received: string;
  /** The next connection to be accepted. */
  accepted(): Promise<Socket>;
}

export interface NatFixture {
  /** The lab of the running suite. */
  readonly lab: NatLab;
  /**
   * Starts a server on the server side. Closed, and its connections destroyed, after the test it was started in, or
   * after the suite when that was a `before` hook.
   */
  serve(onConnection?: (socket: Socket) => void): NatServer;
  /** Connects a plain socket through the NAT and waits for both ends; the client is destroyed when the server is. */
  dial(server: NatServer, host?: string): Promise<{ client: Socket; peer: Socket }>;
  /** Resolves once the NAT knows no established flow any more. */
  evicted(): Promise<void>;
}

/**
 * For a `describe` block: its tests run behind a kernel NAT. The thread is in the client's network, so `net.connect`
 * dials from behind the NAT; `serve` starts servers beyond it. Skips like {@link requireKernelNat}.
 */
export function useNatLab(settings: NatSettings = {}): NatFixture {
  let lab: NatLab | undefined;
  const servers: NatServer[] = [];
  const clients: Socket[] = [];
  let kept = { servers: 0, clients: 0 };

  const release = (from: { servers: number; clients: number }): void => {
    for (const { server, sockets } of servers.splice(from.servers)) {
      server.close();
      for (const socket of sockets) socket.destroy();
    }
    for (const client of clients.splice(from.clients)) client.destroy();
  };

  before(async function () {
    await requireKernelNat.call(this);
    lab = await createNatLab({ ...settings, backend: 'kernel' });
    lab.enter('client');
  });

  beforeEach(() => {
    kept = { servers: servers.length, clients: clients.length };
  });

  afterEach(() => release(kept));

  after(async () => {
    release({ servers: 0, clients: 0 });
    await lab?.close(); // puts the thread back where it was
    lab = undefined;
  });

  const fixture: NatFixture = {
    get lab() {
      if (!lab) throw new Error('useNatLab: the lab exists only while the suite runs');
      return lab;
    },
    serve(onConnection) {
      const server = serveBehind(fixture.lab, onConnection);
      servers.push(server);
      return server;
    },
    async dial(server, host = server.host) {
      const accepted = server.accepted();
      const client = connect(server.port, host);
      clients.push(client);
      await once(client, 'connect');
      return { client, peer: await accepted };
    },
    async evicted() {
      await until('the NAT forgets every established flow', async () =>
        (await fixture.lab.flows()).every(flow => flow.state !== 'ESTABLISHED'),
      );
    },
  };
  return fixture;
}

function serveBehind(lab: NatLab, onConnection?: (socket: Socket) => void): NatServer {
  const sockets: Socket[] = [];
  let received = '';
  const server = createServer(socket => {
    sockets.push(socket);
    socket.on('error', () => undefined); // resets are what these tests are about
    socket.on('data', chunk => (received += chunk.toString('latin1')));
    onConnection?.(socket);
  });
  // `listen` without a host makes its socket at once, so it is made over there.
  lab.inside('server', () => server.listen(0));
  return {
    host: lab.serverAddress,
    host6: lab.serverAddress6,
    port: (server.address() as AddressInfo).port,
    server,
    sockets,
    get received() {
      return received;
    },
    accepted: () => new Promise(resolve => server.once('connection', resolve)),
  };
}

/** Waits for a condition, looking every 20 ms. The suite's timeout is the limit; `claim` shows in a stuck test's stack. */
export async function until(claim: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const started = performance.now();
  while (!(await condition())) {
    if (performance.now() - started > 15_000) throw new Error(`waited 15 s in vain: ${claim}`);
    await delay(20);
  }
}

const LOOKS = 3;

/** The established flows a NAT knows. */
export async function establishedFlows(lab: NatLab): Promise<Flow[]> {
  const known = new Map<string, Flow>();
  // The kernel hands its table out page by page, while it changes: a flow can be missing in one look.
  for (let look = 0; look < LOOKS; look++) {
    for (const flow of await lab.flows()) {
      if (flow.state === 'ESTABLISHED') known.set(`${flow.client} ${flow.server}`, flow);
    }
  }
  return [...known.values()];
}
