import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const LONGEST_S = 1200;

/**
 * How the tests of each kind of suite are run and counted. Each gets the part of the table, the folder to run in, one to
 * write in, the Node to use by version, `node(args, seconds)` which runs it, and `add(name, outcome)` to tell.
 */
export const KINDS = {
  /** Each file is a program of its own. `lines` finds the tests it names in its output. */
  async script({ part, folder, node, add }) {
    for (const file of filesOf(folder, part.files)) {
      const args = part.program === undefined ? [file] : [part.program, file];
      const { status, output } = await node(args, 120);
      for (const { groups } of output.matchAll(part.lines ?? /(?!)/g)) {
        const outcome = ['passed', 'failed', 'skipped'].find(name => groups[name] !== undefined);
        add(`${file}: ${groups.name}`, outcome);
      }
      add(file, status === 0 ? 'passed' : 'failed');
    }
  },

  async mocha({ part, folder, scratch, version, node, add }) {
    const report = join(scratch, 'report.json');
    rmSync(report, { force: true });
    const bin = createRequire(join(folder, 'package.json')).resolve('mocha/bin/mocha.js');
    // Node's own stripping of types is in the way of a loader from 23.6 on; Node 20 does not know the option.
    const strip = part.isTs && !version.startsWith('v20.') ? ['--no-experimental-strip-types'] : [];
    const args = [bin, ...strip, '--reporter', 'json', '--reporter-option', `output=${report}`, ...part.args];
    const ran = await node(args, LONGEST_S);
    if (!existsSync(report)) return addBroken(add, ran);
    const { tests, pending, failures } = JSON.parse(readFileSync(report, 'utf8'));
    const skipped = new Set(pending.map(test => test.fullTitle));
    for (const { fullTitle, duration, err } of tests) {
      if (Object.keys(err).length > 0) add(fullTitle, 'failed');
      else add(fullTitle, duration === undefined && skipped.has(fullTitle) ? 'skipped' : 'passed');
    }
    for (const { fullTitle } of failures) if (fullTitle.includes('" hook')) add(fullTitle, 'failed');
  },

  async 'node-test'({ part, folder, scratch, node, add }) {
    const report = join(scratch, 'report.xml');
    rmSync(report, { force: true });
    const to = ['--test-reporter=junit', `--test-reporter-destination=${report}`];
    const args = ['--test', ...to, ...part.args, ...filesOf(folder, part.files)];
    const ran = await node(args, LONGEST_S);
    if (!existsSync(report)) return addBroken(add, ran);
    const [parents, outcomes] = [[], []];
    const tags = /^\t*<(\/?testsuite|testcase|skipped)\b(?: name="([^"]*)")?(.*)$/gm;
    for (const [, tag, name, rest] of readFileSync(report, 'utf8').matchAll(tags)) {
      if (tag === 'testsuite') parents.push(name);
      else if (tag === '/testsuite') parents.pop();
      else if (tag === 'skipped') outcomes.at(-1)[1] = 'skipped';
      else outcomes.push([[...parents, name].join(' > '), rest.includes(' failure="') ? 'failed' : 'passed']);
    }
    for (const [name, outcome] of outcomes) add(name, outcome);
  },

  /** Its unit is the file. */
  async poku({ part, node, add }) {
    const ran = await node(['node_modules/poku/lib/bin/index.js', ...part.args], LONGEST_S);
    const files = [...ran.output.matchAll(/^ ?(PASS|FAIL|SKIP) +(\S+)$/gm)];
    if (files.length === 0) return addBroken(add, ran);
    const words = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' };
    for (const [, word, file] of files) add(file, words[word]);
  },
};

function addBroken(add, { output, errors }) {
  console.error((output + errors).slice(-2000));
  add('the suite ran to its end', 'failed');
}

function filesOf(folder, [places, pattern]) {
  return places
    .flatMap(place => readdirSync(join(folder, place), { recursive: true }).map(file => join(place, file)))
    .filter(file => pattern.test(file) && !file.includes('node_modules'))
    .sort();
}
