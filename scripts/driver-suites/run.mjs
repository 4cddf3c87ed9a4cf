import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs a program that has to succeed, and returns what it says. */
export function run([program, ...args], cwd) {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a program that may fail under timeout(1), which ends its children too. It goes when this process goes. */
export async function tryRun(command, { env, folder, seconds, scratch }) {
  const logs = ['stdout', 'stderr'].map(name => join(scratch, name));
  const [out, err] = logs.map(log => openSync(log, 'w'));
  const args = ['-k', '10', String(seconds), ...command];
  const child = spawn('timeout', args, { cwd: folder, env, stdio: ['ignore', out, err] });
  const kill = () => child.kill();
  process.on('exit', kill);
  const [status] = await once(child, 'close');
  process.off('exit', kill);
  [out, err].forEach(file => closeSync(file));
  // eslint-disable-next-line no-control-regex -- the colours of a terminal
  const [output, errors] = logs.map(log => readFileSync(log, 'utf8').replaceAll(/\x1b\[[0-9;]*m/g, ''));
  return { status, output, errors };
}
