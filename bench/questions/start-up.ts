import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerAddress } from '../harness/messages.js';
import { median } from '../harness/statistics.js';
import type { Contender, SampleQuestion } from '../question.js';

const STARTS = 10;
const QUICK_STARTS = 4;

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const COVER = new URL('../../src/guard/cover.js', import.meta.url).href;
/** Loopback is left alone unless it is named. */
const LOOPBACK = { HOLDFAST_TARGETS: '127.0.0.1' };

/** A process: what it imports first, its environment and its program. */
interface Start {
  readonly imports?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly program: string;
}

/** The last thing each program does. What a process does after that is in its time, not in its CPU time. */
const REPORT = `process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  require('node:fs').writeSync(1, String(user + system));
});`;

const EMPTY: Start = { program: REPORT };

function connecting(port: number, whenConnected: string): string {
  return `${REPORT}
    const socket = require('node:net').connect(${port}, '127.0.0.1');
    socket.once('connect', async () => { ${whenConnected} socket.destroy(); });`;
}

/** The processes compared. `bare` is the same program without register, in `import` with Node's own share of it. */
function startsOf(contender: Contender, port: number): Readonly<Record<string, Start>> {
  const registered = contender === 'hardened';
  const connects = { program: connecting(port, '') };
  const all = {
    empty: EMPTY,
    import: registered ? EMPTY : { ...EMPTY, imports: 'data:text/javascript,import "node:net"' },
    variable: { ...EMPTY, env: LOOPBACK },
    connection: { ...connects, env: LOOPBACK },
  };
  if (!registered) return all;
  return Object.fromEntries(
    Object.entries(all).map(([name, start]) => [name, { ...start, imports: REGISTER }]),
  );
}

/** What `--import holdfast/register` adds to a process from its start to its end. */
export const startUp: SampleQuestion = {
  kind: 'sample',
  name: 'start-up',
  asks: `a whole process, bare and with --import holdfast/register (hardened): an empty program; the same beside
  a bare --import of node:net; with a variable to read; that and one connection`,
  base: 'bare',
  metrics: ['empty', 'import', 'variable', 'connection'].flatMap(name => [
    { name: `${name}, time`, unit: 'ms' },
    { name: `${name}, cpu`, unit: 'ms' },
  ]),
  contenders: ['hardened'],
  async sample(contender, { port }: ServerAddress, quick) {
    const starts = Object.entries(startsOf(contender, port));
    await proveHardened(contender, port);
    // Files that were not read lately would be paid for by the first.
    for (const [, start] of starts) await run(start);
    const taken = new Map(starts.map(([name]) => [name, { wall: [] as number[], cpu: [] as number[] }]));
    for (let count = quick ? QUICK_STARTS : STARTS; count > 0; count -= 1) {
      for (const [name, start] of starts) {
        const { wall, output } = await run(start);
        taken.get(name)?.wall.push(wall);
        taken.get(name)?.cpu.push(Number(output) / 1000);
      }
    }
    const figures = [...taken].flatMap(([name, { wall, cpu }]) => [
      [`${name}, time`, median(wall)] as const,
      [`${name}, cpu`, median(cpu)] as const,
    ]);
    return Object.fromEntries(figures);
  },
};

/** Without this a register that hardens nothing would win. */
async function proveHardened(contender: Contender, port: number): Promise<void> {
  const look = `const { guardOf } = await import('${COVER}');
    const idle = guardOf(socket)?.settings?.idle.effective ?? 'none';
    require('node:fs').writeSync(1, idle + ' ');`;
  const start = { ...startsOf(contender, port)['connection'], program: connecting(port, look) };
  const { output } = await run(start);
  const [idle] = output.split(' ');
  const expected = contender === 'hardened' ? '30000' : 'none';
  if (idle !== expected) throw new Error(`a keepalive idle time of ${idle} where ${expected} was to be`);
}

async function run({ imports, env, program }: Start): Promise<{ wall: number; output: string }> {
  const flags = imports === undefined ? [] : ['--import', imports];
  const start = performance.now();
  const child = spawn(process.execPath, [...flags, '--eval', program], {
    env: { ...withoutOptions(), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  const wall = performance.now() - start;
  if (!child.stdout.readableEnded) await once(child.stdout, 'end');
  if (code !== 0) throw new Error(`a measured process ended with ${code ?? 'a signal'}`);
  return { wall, output };
}

/** A variable of holdfast from outside would be read by the registered processes only. */
function withoutOptions(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HOLDFAST|NODE)_/.test(name)));
}
