// Puts the Node versions the library supports under .nodes/, from the npm registry, and says where each one is.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SUPPORTED = ['20', '22', '24', '26'];
// The first Node 24 whose setKeepAlive takes an interval and a count.
const RANGES = { 20: '20', 22: '22', 24: '>=24.19.0 <25', 26: '26' };

/** @returns {{major: string, path: string}[]} the running Node first, then the others */
export function nodeVersions(root, wanted = SUPPORTED) {
  const running = process.versions.node.split('.')[0];
  return [running, ...SUPPORTED.filter(major => major !== running)]
    .filter(major => wanted.includes(major))
    .map(major => ({ major, path: major === running ? process.execPath : install(root, major) }));
}

function install(root, major) {
  const folder = join(root, '.nodes', major);
  // The package that holds the binary itself: it needs no install script.
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    execFileSync('npm', ['install', '--no-save', '--no-package-lock', `${name}@${RANGES[major]}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return path;
}
