import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type * as WorkerThreads from 'node:worker_threads';
import type { HoldfastOptions } from './options/types.js';
import { registration } from './registration.js';
import { destinationOf } from './register/destination.js';
import type * as EnvironmentModule from './register/environment.js';
import type * as HardenerModule from './register/hardener.js';
import type { Hardener } from './register/hardener.js';
import { beforeConnect } from './register/intercept.js';
import { TargetMatcher } from './register/target-matcher.js';

/*
 * `node --import holdfast/register app.js`: hardens every outgoing TCP and TLS socket of the process. Start-up matters
 * here: the library itself is loaded with the first socket that needs it, and the option table only where there is a
 * HOLDFAST_* variable to read.
 */

const require = createRequire(import.meta.url);
registration.options = readOptions();
const targets = new TargetMatcher(targetsOf(registration.options));
let hardener: Hardener | undefined;

beforeConnect((socket, args) => {
  const destination = destinationOf(args);
  if (destination === undefined) return;
  if (targets.matches({ ...destination, address: undefined }) !== false) harden(socket);
});

function harden(socket: Socket): void {
  if (hardener !== undefined) return hardener.harden(socket);
  try {
    const loaded = require('./register/hardener.js') as typeof HardenerModule;
    hardener = new loaded.Hardener(targets);
  } catch {
    // The application is just importing the library itself, which can't be waited for here. Later will do.
    void import('./register/hardener.js').then(loaded => {
      hardener ??= new loaded.Hardener(targets);
      if (!socket.destroyed) hardener.harden(socket);
    }, warnOfFailure);
    return;
  }
  hardener.harden(socket);
}

function warnOfFailure(error: unknown): void {
  warnOnce(`holdfast/register could not be loaded, no socket is hardened: ${String(error)}`);
}

function readOptions(): HoldfastOptions {
  if (!Object.keys(process.env).some(name => name.startsWith('HOLDFAST_'))) return {};
  const { readEnvironment } = require('./register/environment.js') as typeof EnvironmentModule;
  const { options: right, error } = readEnvironment(process.env);
  if (error === undefined) return right;
  if (right.strict === true) refuse(error);
  warnOnce(
    `${error.message}\nholdfast runs without ${error.problems.map(({ origin }) => origin).join(', ')}`,
  );
  return right;
}

/** HOLDFAST_STRICT: the process does not start. A stack trace would only hide the message. */
function refuse(error: Error): never {
  if (!workerThreads().isMainThread) throw error;
  writeSync(2, `holdfast/register: ${error.message}\n`);
  process.exit(1);
}

/** A worker inherits the environment, and with it what has been warned of. */
function warnOnce(message: string): void {
  const { getEnvironmentData, setEnvironmentData } = workerThreads();
  const key = 'holdfast.warned';
  if (getEnvironmentData(key) === message) return;
  setEnvironmentData(key, message);
  process.emitWarning(message, { type: 'HoldfastWarning', code: 'HOLDFAST_OPTIONS' });
}

/** Loading it takes a millisecond or two, which only the unusual case is to pay. */
function workerThreads(): typeof WorkerThreads {
  return require('node:worker_threads') as typeof WorkerThreads;
}

function targetsOf({ targets: given }: HoldfastOptions): readonly string[] {
  return typeof given === 'string' ? given.split(',') : (given ?? []);
}
