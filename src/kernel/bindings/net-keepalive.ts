import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import type { KernelBinding, KernelSettings, SettingName, WriteFailures } from '../binding.js';
import { wholeSeconds } from '../binding.js';
import type { TcpHandle } from '../handle.js';

interface NetKeepAlive {
  setKeepAliveInterval(socket: Socket, ms: number): boolean;
  setKeepAliveProbes(socket: Socket, count: number): boolean;
  setUserTimeout(socket: Socket, ms: number): boolean;
}

const require = createRequire(import.meta.url);

/** glibc's RTLD_NODELETE: keeps the library mapped after the worker that loaded it is gone. */
const RTLD_NODELETE = 0x1000;

/**
 * The net-keepalive package, as the fallback where koffi can't load: setters only. Each setter call leaks 35 bytes
 * and each getter 65 (4.0.28), so the getters are not used and nothing is set twice on one socket without need.
 * The idle time is set by Node.
 */
class NetKeepAliveBinding implements KernelBinding {
  readonly name = 'net-keepalive';
  readonly sets: ReadonlySet<SettingName> = new Set([
    'keepalive',
    'idle',
    'interval',
    'count',
    'userTimeout',
  ]);
  readonly #module: NetKeepAlive;

  constructor(module: NetKeepAlive) {
    this.#module = module;
  }

  write(handle: TcpHandle, settings: Partial<KernelSettings>): WriteFailures {
    const failures: WriteFailures = {};
    // The package asks for a socket and reads nothing of it but the handle's descriptor.
    const socket = Object.create(Socket.prototype, { _handle: { value: handle } }) as Socket;
    const put = (name: SettingName, set: () => boolean): void => {
      try {
        if (!set()) failures[name] = 'net-keepalive can not set it on this platform';
      } catch (error) {
        failures[name] = error instanceof Error ? error.message : 'net-keepalive failed';
      }
    };
    const { keepalive, idle, interval, count, userTimeout } = settings;
    // Node's setter resets interval and count, so it goes first.
    if (keepalive === false) put('keepalive', () => handle.setKeepAlive(false, 0) === 0);
    else if (idle !== undefined) put('idle', () => handle.setKeepAlive(true, wholeSeconds(idle)) === 0);
    if (interval !== undefined) {
      put('interval', () => this.#module.setKeepAliveInterval(socket, wholeSeconds(interval) * 1000));
    }
    if (count !== undefined) put('count', () => this.#module.setKeepAliveProbes(socket, count));
    if (userTimeout !== undefined) put('userTimeout', () => this.#module.setUserTimeout(socket, userTimeout));
    return failures;
  }

  read(): undefined {
    return undefined;
  }

  tcpInfo(): undefined {
    return undefined;
  }
}

/**
 * A worker that loads ffi-rs takes the whole process down when it exits, unless the library stays mapped. Opening
 * it once with RTLD_NODELETE keeps it.
 */
function keepMapped(packageRequire: NodeJS.Require): void {
  const { platform, arch } = process;
  const libc = platform === 'linux' ? ['-gnu', '-musl'] : [''];
  for (const suffix of libc) {
    try {
      const path = packageRequire.resolve(`@yuuang/ffi-rs-${platform}-${arch}${suffix}`);
      process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_LAZY | RTLD_NODELETE);
      return;
    } catch {
      // Not the variant that is installed: try the next.
    }
  }
  throw new Error('it is not safe to load in a worker thread here');
}

/** @returns the binding, or why it can't be used here. */
export function loadNetKeepAliveBinding(): KernelBinding | string {
  if (process.platform === 'win32') return 'net-keepalive does nothing on Windows';
  try {
    if (!isMainThread) {
      const own = createRequire(require.resolve('net-keepalive'));
      keepMapped(createRequire(own.resolve('ffi-rs')));
    }
    return new NetKeepAliveBinding(require('net-keepalive') as NetKeepAlive);
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown error';
    return `net-keepalive did not load: ${message}`;
  }
}
