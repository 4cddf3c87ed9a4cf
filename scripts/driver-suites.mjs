// Runs a driver's own test suite bare and under `--import holdfast/register`, and compares test by test. See
// docs/driver-suites.md. Usage:
//   node scripts/driver-suites.mjs DRIVER [--source FOLDER] [--node PATH] [--arms bare,register,eager] [--rounds 3]
//                                         [--register FILE]
// Exits 1 when a test's outcome differs. The ports of the servers are those the suites ask for, on loopback.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { KINDS } from './driver-suites/kinds.mjs';
import { run, tryRun } from './driver-suites/run.mjs';
import { startServer } from './driver-suites/servers.mjs';
import { SUITES } from './driver-suites/suites.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Loopback is no target unless it is named. */
const targets = { HOLDFAST_TARGETS: '*,localhost,127.0.0.0/8,::1' };
const ARMS = {
  bare: undefined,
  register: targets,
  eager: {
    ...targets,
    HOLDFAST_KEEPALIVE_IDLE: '1s',
    HOLDFAST_KEEPALIVE_INTERVAL: '1s',
    HOLDFAST_PROBE_AFTER_IDLE: '1s',
  },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    source: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    arms: { type: 'string', default: 'bare,register,eager' },
    rounds: { type: 'string', default: '3' },
    register: { type: 'string', default: join(root, 'dist', 'register.js') },
  },
});
const [driver = ''] = positionals;
const suite = SUITES[driver];
if (suite === undefined) fail(`which suite? One of ${Object.keys(SUITES).join(', ')}`);
if (!existsSync(options.register)) fail(`${options.register} is not built: npm run build`);
const node = resolve(options.node);
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-suite-'));
chmodSync(scratch, 0o755);
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const version = run([node, '--version']).trim();
const source = options.source === undefined ? cloneSource() : resolve(options.source);
if (!existsSync(join(source, 'node_modules'))) for (const command of suite.install) run(command, source);
const counter = writeCounter();
const arms = options.arms.split(',');
const server = suite.server === undefined ? undefined : await startServer(suite.server, scratch);
console.log(`${driver}, Node ${version}${server === undefined ? '' : `, ${server.version}`}`);
try {
  process.exitCode = (await areAlike()) ? 0 : 1;
} finally {
  await server?.stop();
}

/** Runs all arms, and again where they differ: what passed in an arm once does not fail because of the arm. */
async function areAlike() {
  const found = new Map(arms.map(arm => [arm, { outcomes: new Map(), flaky: new Set(), counts: undefined }]));
  let different = [];
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const arm of arms) addRound(found.get(arm), await runArm(arm));
    printTable(found, round);
    different = differences(found);
    for (const { name, seen } of different) console.log(`differs: ${name}: ${seen.join(', ')}`);
    if (different.length === 0) break;
  }
  const flaky = new Set([...found.values()].flatMap(arm => [...arm.flaky]));
  for (const name of flaky) console.log(`flaky: ${name}`);
  const [first, ...rest] = [...found.values()].map(({ outcomes }) => outcomes);
  const fails = name => rest.every(outcomes => outcomes.get(name) === 'failed');
  for (const [name, outcome] of first)
    if (outcome === 'failed' && fails(name)) console.log(`fails in every arm: ${name}`);
  const idle = arms.filter(arm => ARMS[arm] !== undefined && found.get(arm).counts.hardened === 0);
  for (const arm of idle) console.log(`${arm} hardened no socket: its numbers say nothing`);
  return different.length === 0 && idle.length === 0;
}

function addRound(total, { outcomes, counts }) {
  total.counts = counts;
  for (const name of total.outcomes.keys()) if (!outcomes.has(name)) outcomes.set(name, 'missing');
  for (const [name, outcome] of outcomes) {
    const before = total.outcomes.get(name);
    if (before !== undefined && before !== outcome) total.flaky.add(name);
    if (before !== 'passed') total.outcomes.set(name, outcome);
  }
}

function differences(found) {
  const names = new Set([...found.values()].flatMap(arm => [...arm.outcomes.keys()]));
  return [...names]
    .map(name => ({ name, seen: arms.map(arm => found.get(arm).outcomes.get(name) ?? 'missing') }))
    .filter(({ seen }) => new Set(seen).size > 1);
}

function printTable(found, round) {
  console.log(`\nafter round ${round}`);
  const columns = ['passed', 'failed', 'skipped', 'missing'];
  const row = cells =>
    console.log(
      cells
        .map(cell => String(cell).padEnd(10))
        .join('')
        .trimEnd(),
    );
  row(['arm', ...columns, 'sockets', 'probes']);
  for (const [arm, { outcomes, counts }] of found) {
    const numbers = columns.map(
      column => [...outcomes.values()].filter(outcome => outcome === column).length,
    );
    row([arm, ...numbers, counts.hardened, counts.probed]);
  }
}

async function runArm(arm) {
  const count = join(scratch, 'count');
  writeFileSync(count, '');
  const imports = [resolve(options.register), counter].map(file => `--import ${pathToFileURL(file)}`);
  const settings = ARMS[arm];
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    NO_COLOR: '1',
    ...suite.env,
    PATH: [...(server?.path ?? []), dirname(node), process.env.PATH].join(delimiter),
    ...(settings && { ...settings, NODE_OPTIONS: imports.join(' '), HOLDFAST_TEST_COUNT: count }),
  };
  const outcomes = new Map();
  const add = (name, outcome) => {
    let unique = name;
    for (let n = 2; outcomes.has(unique); n++) unique = `${name} #${n}`;
    outcomes.set(unique, outcome);
  };
  for (const part of suite.runs) {
    const folder = join(source, part.folder ?? '');
    const inFolder = (args, seconds) => tryRun([node, ...args], { env, folder, seconds, scratch });
    await KINDS[part.kind]({ part, folder, scratch, version, node: inFolder, add });
  }
  return { outcomes, counts: readCounts(count) };
}

/** Each process says at its end how much was done to its sockets: numbers that agree prove nothing if that is none. */
function writeCounter() {
  const file = join(scratch, 'counter.mjs');
  writeFileSync(
    file,
    `import { subscribe } from 'node:diagnostics_channel';
     import { appendFileSync } from 'node:fs';
     const counts = { hardened: 0, probed: 0 };
     for (const event in counts) subscribe('holdfast:' + event, () => counts[event]++);
     process.on('exit', () => {
       if (counts.hardened > 0) appendFileSync(process.env.HOLDFAST_TEST_COUNT, JSON.stringify(counts) + '\\n');
     });`,
  );
  return file;
}

function readCounts(file) {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
  const sum = event => lines.reduce((total, counts) => total + counts[event], 0);
  return { hardened: sum('hardened'), probed: sum('probed') };
}

function cloneSource() {
  const folder = join(scratch, 'source');
  const tag = typeof suite.tag === 'string' ? suite.tag : suite.tag(installedVersion());
  run(['git', 'clone', '--quiet', '--depth', '1', '--branch', tag, suite.repository, folder]);
  return folder;
}

function installedVersion() {
  return JSON.parse(readFileSync(join(root, 'node_modules', driver, 'package.json'), 'utf8')).version;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
