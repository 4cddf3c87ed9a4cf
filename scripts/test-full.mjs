// The whole test run: everything the project claims, on every supported Node, where a missing capability is a failure.
// HOLDFAST_TEST_NODES="20 24" limits the versions; HOLDFAST_TEST_STEPS="unit nat" the steps.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  ...process.env,
  HOLDFAST_TEST_FULL: '1',
  HOLDFAST_TEST_TALLY: tally,
  FORCE_COLOR: '0',
};
const failed = [];
/** A step that hangs fails, with a name, long before a build machine gives up on the whole run. */
const LONGEST_STEP_MS = 15 * 60_000;

function run(title, command, args, options = {}) {
  const started = Date.now();
  console.log(`\n== ${title}`);
  const { status, signal } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LONGEST_STEP_MS,
    ...options,
  });
  const took = `${Math.round((Date.now() - started) / 1000)} s`;
  console.log(`== ${title}: ${status === 0 ? 'ok' : `FAILED (${signal ?? `exit ${status}`})`} after ${took}`);
  if (status !== 0) failed.push(title);
  return status === 0;
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

function suite(node, title, folders) {
  const specs = folders.map(folder => `.build/test/${folder}/**/*.test.js`);
  const args = [mocha, '--reporter', reporter, ...specs];
  return run(
    `${title}, Node ${node.major}`,
    ...(folders.some(f => f === 'nat' || f === 'drivers')
      ? asNamespaceRoot(node.path, args)
      : [node.path, args]),
  );
}

run('programs from Debian', 'bash', ['scripts/install-debian.sh']);
if (steps.has('drivers')) run('FerretDB', 'bash', ['scripts/install-ferretdb.sh']);
const built =
  run('build', 'npm', ['run', '--silent', 'build']) && run('compile', 'npm', ['run', '--silent', 'compile']);
if (built) {
  if (steps.has('static')) {
    run('lint, format, import directions', 'npm', ['run', '--silent', 'lint']);
    run('API documentation', 'npm', ['run', '--silent', 'docs']);
  }
  for (const node of nodeVersions(root, majors)) {
    if (steps.has('unit')) suite(node, 'unit and integration', ['unit', 'integration']);
    if (steps.has('nat')) suite(node, 'behind the kernel NAT', ['nat']);
    if (steps.has('drivers')) suite(node, 'drivers and real servers', ['drivers']);
  }
  if (steps.has('package'))
    suite({ major: process.versions.node.split('.')[0], path: process.execPath }, 'the package', ['package']);
  if (steps.has('demo')) run('demo', ...asNamespaceRoot('npm', ['run', '--silent', 'demo']));
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
