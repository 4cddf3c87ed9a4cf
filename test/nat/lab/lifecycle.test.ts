import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createNatLab, LabError } from '../../../src/lab/index.js';
import { requireKernelNat, until } from '../../support/nat.js';

/** Network namespaces in use by any process we may look at, and the processes. */
function networksInUse(): Map<string, number[]> {
  const networks = new Map<string, number[]>();
  for (const entry of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const network = readlinkSync(`/proc/${entry}/ns/net`);
      networks.set(network, [...(networks.get(network) ?? []), Number(entry)]);
    } catch {
      // ended meanwhile, or not ours to see
    }
  }
  return networks;
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The network of this thread. */
const here = (): string => readlinkSync('/proc/thread-self/ns/net');

const links = (): string[] => readFileSync('/proc/thread-self/net/dev', 'utf8').match(/^\s*\S+:/gm) ?? [];

describe('life of a kernel NAT', () => {
  before(requireKernelNat);

  it('never touches the network it was made in', async () => {
    const before = links();
    const lab = await createNatLab({ backend: 'kernel' });
    expect(links()).to.deep.equal(before);
    lab.inside('client', () => expect(links().map(link => link.trim())).to.include.members(['lo:', 'eth0:']));
    await lab.close();
    expect(links()).to.deep.equal(before);
  });

  it('moves the thread to a side and back', async () => {
    const lab = await createNatLab({ backend: 'kernel' });
    const home = here();
    lab.enter('client');
    const client = here();
    const server = lab.inside('server', here);
    expect(new Set([home, client, server])).to.have.property('size', 3);
    expect(lab.inside('host', here)).to.equal(home);
    expect(() =>
      lab.inside('server', () => {
        throw new Error('mine');
      }),
    ).to.throw('mine');
    expect(here()).to.equal(client);
    lab.enter('host');
    expect(here()).to.equal(home);
    lab.enter('server');
    expect(here()).to.equal(server);
    await lab.close();
    expect(here()).to.equal(home);
  });

  it('runs labs side by side with the same addresses', async () => {
    const labs = await Promise.all([
      createNatLab({ backend: 'kernel' }),
      createNatLab({ backend: 'kernel' }),
    ]);
    const servers = labs.map((lab, index) =>
      lab.inside('server', () => createServer(socket => socket.end(`lab ${index}`)).listen(7000)),
    );
    for (const [index, lab] of labs.entries()) {
      lab.enter('client');
      const client = connect(await lab.route((servers[index]?.address() as AddressInfo).port));
      const [answer] = (await once(client, 'data')) as [Buffer];
      expect(answer.toString()).to.equal(`lab ${index}`);
      client.destroy();
      lab.enter('host');
    }
    for (const server of servers) server.close();
    await Promise.all(labs.map(lab => lab.close()));
  });

  it('ends the programs it started, and refuses every call once closed', async () => {
    const lab = await createNatLab({ backend: 'kernel' });
    const polite = lab.spawn('client', process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const stubborn = lab.spawn('server', process.execPath, [
      '-e',
      "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')",
    ]);
    if (!stubborn.stdout) throw new Error('no stdout');
    await once(stubborn.stdout, 'data');
    await Promise.all([lab.close(), lab.close()]);
    expect(polite.signalCode).to.equal('SIGTERM');
    expect(stubborn.signalCode).to.equal('SIGKILL');
    expect(() => lab.enter('client')).to.throw(LabError, 'closed');
    const refused: unknown = await lab.forget().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(LabError).with.property('code', 'ERR_HOLDFAST_LAB');
  });

  it('says exit code 127, or 126 where PATH is partly closed to us, for a program that does not exist', async () => {
    const lab = await createNatLab({ backend: 'kernel' });
    const child = lab.spawn('client', 'no-such-program-anywhere');
    expect((await once(child, 'exit'))[0]).to.be.oneOf([126, 127]);
    await lab.close();
  });

  it('needs no root: an ordinary user gets the same NAT, and is told why it cannot enter it', async function () {
    const module = new URL('../../../src/lab/index.js', import.meta.url);
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    if (spawnSync('setpriv', [...asNobody, process.execPath, '-e', '', module.pathname]).status !== 0) {
      if (this.test) this.test.title += ' (skipped: no right to become another user)';
      return this.skip();
    }
    const ordinary = spawn(
      'setpriv',
      [...asNobody, process.execPath, '--input-type=module', '-e', ORDINARY, module.href],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(ordinary.stdout, 'data')) as [Buffer];
    await once(ordinary, 'exit');
    const told = JSON.parse(line.toString()) as { peer: string; flows: number; refusal: string };
    expect(told).to.include({ peer: '::ffff:10.77.2.1', flows: 1 });
    expect(told.refusal).to.match(/setns failed.*must be root, or root in a user namespace/);
  });

  it('leaves no process, namespace or link when its process is killed by SIGKILL', async () => {
    const before = links();
    const known = networksInUse();
    const owner = spawn(
      process.execPath,
      ['--input-type=module', '-e', OWNER, new URL('../../../src/lab/index.js', import.meta.url).href],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const { networks, program } = JSON.parse(line.toString()) as { networks: string[]; program: number };
    const during = networksInUse();
    for (const network of networks) {
      expect(known.has(network)).to.equal(false);
      expect(during.get(network)).to.have.length.greaterThan(0);
    }
    expect(isRunning(program)).to.equal(true);
    const pids = networks.flatMap(network => during.get(network) ?? []);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await until('its processes end', () => !pids.some(isRunning));
    const after = networksInUse();
    for (const network of networks) expect(after.has(network)).to.equal(false);
    expect(links()).to.deep.equal(before);
  });
});

/** Makes a lab and a program in it, prints the two namespaces and the program's process, and stays. */
const OWNER = `
import { readlinkSync } from 'node:fs';
import { once } from 'node:events';
const { createNatLab } = await import(process.argv[1]);
const lab = await createNatLab({ backend: 'kernel' });
const program = lab.spawn('client', process.execPath, ['-e', "setInterval(() => {}, 1000); console.log('ready')"]);
await once(program.stdout, 'data');
const here = () => readlinkSync('/proc/thread-self/ns/net');
console.log(JSON.stringify({ networks: [lab.inside('client', here), lab.inside('server', here)], program: program.pid }));
setInterval(() => {}, 1000);
`;

/** As a user without rights: a server and a client on their sides, and one attempt to enter. */
const ORDINARY = `
import { once } from 'node:events';
const { createNatLab } = await import(process.argv[1]);
const lab = await createNatLab({ backend: 'kernel' });
const run = (side, script) => lab.spawn(side, process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
const server = run('server', "require('net').createServer(s => console.log(s.remoteAddress)).listen(7000, () => console.log('up'))");
await once(server.stdout, 'data');
run('client', "require('net').connect(7000, '" + lab.serverAddress + "')");
const [peer] = await once(server.stdout, 'data');
let refusal = '';
try { lab.enter('client'); } catch (error) { refusal = error.message; }
console.log(JSON.stringify({ peer: String(peer).trim(), flows: (await lab.flows()).length, refusal }));
await lab.close();
`;
