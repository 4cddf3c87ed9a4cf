// The whole test run: everything the project claims, on every supported Node, where a missing capability is a failure.
// HOLDFAST_TEST_NODES="20 24" limits the versions; HOLDFAST_TEST_STEPS="unit nat" the steps.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeVersions } from './node-versions.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const tally = join(scratch, 'tally');
writeFileSync(tally, '');
const env = {
  HOLDFAST_TEST_FERRETDB: join(root, '.servers', 'ferretdb'),
  HOLDFAST_TEST_MONGO_JAVA: join(root, '.servers', 'mongo-java-server'),
  HOLDFAST_TEST_SIMULACRON: join(root, '.servers', 'simulacron.jar'),
  HOLDFAST_TEST_KAFKA: join(root, '.servers', 'kafka-broker'),
  ...process.env,
  HOLDFAST_TEST_FULL: '1',
  HOLDFAST_TEST_TALLY: tally,
  FORCE_COLOR: '0',
};
const failed = [];
/** A step that hangs fails, with a name, long before a build machine gives up on the whole run. */
const LONGEST_STEP_MS = 25 * 60_000;

/** Runs a step and prints what it said: as it comes, or all at once at its end where others run beside it. */
async function run(title, command, args, { isAlone = true } = {}) {
  const started = Date.now();
  console.log(`\n== ${title}${isAlone ? '' : ': begun'}`);
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', isAlone ? 'inherit' : 'pipe', isAlone ? 'inherit' : 'pipe'],
    timeout: LONGEST_STEP_MS,
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => said.push(chunk));
  const end = await new Promise(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('close', (status, signal) => resolve(status === 0 ? 'ok' : (signal ?? `exit ${status}`)));
  });
  const took = `${Math.round((Date.now() - started) / 1000)} s`;
  if (!isAlone) console.log(`\n== ${title}\n${Buffer.concat(said)}`);
  console.log(`== ${title}: ${end === 'ok' ? end : `FAILED (${end})`} after ${took}`);
  if (end !== 'ok') failed.push(title);
  return end === 'ok';
}

/** A kernel NAT needs root, or to be root in a user namespace. */
function asNamespaceRoot(command, args) {
  if (process.getuid?.() === 0) return [command, args];
  return ['unshare', ['--user', '--map-root-user', '--net', '--mount', command, ...args]];
}

const steps = new Set(
  (process.env.HOLDFAST_TEST_STEPS ?? 'static unit nat drivers package demo').split(/[\s,]+/),
);
const majors = process.env.HOLDFAST_TEST_NODES?.split(/[\s,]+/);
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const reporter = join(root, 'scripts', 'tally-reporter.cjs');

function suite(node, title, folders, { ignore = [], ...options } = {}) {
  const specs = folders.map(folder => `.build/test/${folder}/**/*.test.js`);
  const args = [mocha, '--reporter', reporter, ...ignore.flatMap(glob => ['--ignore', glob]), ...specs];
  const needsNat = folders.some(folder => folder === 'nat' || folder === 'drivers');
  const command = needsNat ? asNamespaceRoot(node.path, args) : [node.path, args];
  return run(`${title}, Node ${node.major}`, ...command, options);
}

/** Behind a NAT most of the time is spent waiting for it to forget: two versions of Node at a time. */
const LANES = 2;

/** Many rounds of one thing, minutes long: on the oldest and the newest Node only. */
const ROUNDS = '.build/test/drivers/*rounds.test.js';

async function behindTheNat(nodes) {
  const left = [...nodes];
  const isAlone = nodes.length === 1;
  const majors = nodes.map(({ major }) => Number(major));
  const ends = [Math.min(...majors), Math.max(...majors)];
  const lane = async () => {
    for (let node = left.shift(); node !== undefined; node = left.shift()) {
      const ignore = ends.includes(Number(node.major)) ? [] : [ROUNDS];
      if (steps.has('nat')) await suite(node, 'behind the kernel NAT', ['nat'], { isAlone });
      if (steps.has('drivers'))
        await suite(node, 'drivers and real servers', ['drivers'], { isAlone, ignore });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

await run('programs from Debian', 'bash', ['scripts/install-debian.sh']);
if (steps.has('drivers')) {
  // Servers that are in no package of Debian.
  for (const script of readdirSync(join(root, 'scripts', 'servers')))
    await run(`server: ${script.replace('.sh', '')}`, 'bash', [join('scripts', 'servers', script)]);
}
const built =
  (await run('build', 'npm', ['run', '--silent', 'build'])) &&
  (await run('compile', 'npm', ['run', '--silent', 'compile']));
if (built) {
  if (steps.has('static')) {
    await run('lint, format, import directions', 'npm', ['run', '--silent', 'lint']);
    await run('API documentation', 'npm', ['run', '--silent', 'docs']);
  }
  const nodes = nodeVersions(root, majors);
  if (steps.has('unit')) {
    for (const node of nodes) await suite(node, 'unit and integration', ['unit', 'integration']);
  }
  await behindTheNat(nodes);
  if (steps.has('package'))
    await suite({ major: process.versions.node.split('.')[0], path: process.execPath }, 'the package', [
      'package',
    ]);
  if (steps.has('demo')) await run('demo', ...asNamespaceRoot('npm', ['run', '--silent', 'demo']));
}

const counts = { passes: 0, failures: 0, pending: 0 };
for (const line of readFileSync(tally, 'utf8').split('\n').filter(Boolean)) {
  const one = JSON.parse(line);
  for (const key of Object.keys(counts)) counts[key] += one[key];
}
rmSync(scratch, { recursive: true, force: true });
// A step that failed without a test's word for it counts too, and so does a capability that was skipped.
const failures = Math.max(counts.failures, failed.length);
if (failed.length > 0) console.log(`\nfailed: ${failed.join('; ')}`);
console.log(`\n${counts.passes} passed, ${failures} failed, ${counts.pending} skipped`);
process.exitCode = failed.length > 0 || counts.pending > 0 || counts.passes === 0 ? 1 : 0;
