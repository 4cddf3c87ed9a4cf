import { createRequire } from 'node:module';
import type { KernelBinding, KernelSettings, SettingName, WriteFailures } from '../binding.js';
import { wholeSeconds } from '../binding.js';
import type { TcpHandle } from '../handle.js';
import { descriptor } from '../handle.js';
import { platformConstants, type PlatformConstants } from '../platform.js';
import { decodeTcpInfo, TCP_INFO_BUFFER_BYTES, type TcpInfo } from '../tcp-info.js';

type NativeCall = (
  fd: number,
  level: number,
  option: number,
  value: Buffer,
  length: Buffer | number,
) => number;

interface Koffi {
  load(path: null): { func(name: string, result: string, args: readonly string[]): NativeCall };
  errno(): number;
  readonly os: { readonly errno: Readonly<Record<string, number>> };
}

const NO_DESCRIPTOR = 'the socket has no descriptor';

/** getsockopt and setsockopt through koffi: sets and reads everything the platform has. */
class KoffiBinding implements KernelBinding {
  readonly name = 'koffi';
  readonly sets: ReadonlySet<SettingName>;
  readonly #koffi: Koffi;
  readonly #constants: PlatformConstants;
  readonly #get: NativeCall;
  readonly #set: NativeCall;
  // One buffer of each kind serves every call: calls are synchronous.
  readonly #int = Buffer.alloc(4);
  readonly #length = Buffer.alloc(4);
  readonly #info = Buffer.alloc(TCP_INFO_BUFFER_BYTES);

  constructor(koffi: Koffi, constants: PlatformConstants) {
    this.#koffi = koffi;
    this.#constants = constants;
    const libc = koffi.load(null);
    this.#get = libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);
    this.#set = libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t']);
    const sets: SettingName[] = ['keepalive', 'idle', 'interval', 'count'];
    if (constants.TCP_USER_TIMEOUT !== undefined) sets.push('userTimeout');
    this.sets = new Set(sets);
  }

  write(handle: TcpHandle, settings: Partial<KernelSettings>): WriteFailures {
    const fd = descriptor(handle);
    const failures: WriteFailures = {};
    const {
      SOL_SOCKET,
      SO_KEEPALIVE,
      IPPROTO_TCP,
      TCP_KEEPIDLE,
      TCP_KEEPINTVL,
      TCP_KEEPCNT,
      TCP_USER_TIMEOUT,
    } = this.#constants;
    const put = (name: SettingName, level: number, option: number | undefined, value: number): void => {
      if (fd === undefined) failures[name] = NO_DESCRIPTOR;
      else if (option === undefined) failures[name] = `${process.platform} has no such option`;
      else if (!this.#setInt(fd, level, option, value)) failures[name] = `setsockopt: ${this.#errorName()}`;
    };
    // The times go first: enabling keepalive arms its timer with the idle time that holds then.
    if (settings.idle !== undefined) put('idle', IPPROTO_TCP, TCP_KEEPIDLE, wholeSeconds(settings.idle));
    if (settings.interval !== undefined) {
      put('interval', IPPROTO_TCP, TCP_KEEPINTVL, wholeSeconds(settings.interval));
    }
    if (settings.count !== undefined) put('count', IPPROTO_TCP, TCP_KEEPCNT, settings.count);
    if (settings.userTimeout !== undefined) {
      put('userTimeout', IPPROTO_TCP, TCP_USER_TIMEOUT, settings.userTimeout);
    }
    if (settings.keepalive !== undefined) {
      put('keepalive', SOL_SOCKET, SO_KEEPALIVE, settings.keepalive ? 1 : 0);
    }
    return failures;
  }

  read(handle: TcpHandle): Partial<KernelSettings> | undefined {
    const fd = descriptor(handle);
    if (fd === undefined) return undefined;
    const c = this.#constants;
    const seconds = (value: number | undefined): number | undefined =>
      value === undefined ? undefined : value * 1000;
    const keepalive = this.#getInt(fd, c.SOL_SOCKET, c.SO_KEEPALIVE);
    const found: Record<SettingName, number | boolean | undefined> = {
      keepalive: keepalive === undefined ? undefined : keepalive !== 0,
      idle: seconds(this.#getInt(fd, c.IPPROTO_TCP, c.TCP_KEEPIDLE)),
      interval: seconds(this.#getInt(fd, c.IPPROTO_TCP, c.TCP_KEEPINTVL)),
      count: this.#getInt(fd, c.IPPROTO_TCP, c.TCP_KEEPCNT),
      userTimeout:
        c.TCP_USER_TIMEOUT === undefined ? undefined : this.#getInt(fd, c.IPPROTO_TCP, c.TCP_USER_TIMEOUT),
    };
    return found as Partial<KernelSettings>;
  }

  tcpInfo(handle: TcpHandle): TcpInfo | undefined {
    const fd = descriptor(handle);
    const { TCP_INFO, IPPROTO_TCP } = this.#constants;
    if (fd === undefined || TCP_INFO === undefined) return undefined;
    this.#length.writeUInt32LE(TCP_INFO_BUFFER_BYTES);
    if (this.#get(fd, IPPROTO_TCP, TCP_INFO, this.#info, this.#length) !== 0) return undefined;
    return decodeTcpInfo(this.#info, this.#length.readUInt32LE());
  }

  #setInt(fd: number, level: number, option: number, value: number): boolean {
    this.#int.writeInt32LE(value);
    return this.#set(fd, level, option, this.#int, 4) === 0;
  }

  #getInt(fd: number, level: number, option: number): number | undefined {
    this.#length.writeUInt32LE(4);
    if (this.#get(fd, level, option, this.#int, this.#length) !== 0) return undefined;
    return this.#int.readInt32LE();
  }

  #errorName(): string {
    const number = this.#koffi.errno();
    const known = Object.entries(this.#koffi.os.errno).find(([, value]) => value === number);
    return known ? known[0] : `errno ${number}`;
  }
}

const require = createRequire(import.meta.url);

/** @returns the binding, or why it can't be used here. */
export function loadKoffiBinding(): KernelBinding | string {
  const constants = platformConstants(process.platform, process.arch);
  if (constants === undefined) return `no getsockopt constants for ${process.platform} ${process.arch}`;
  try {
    return new KoffiBinding(require('koffi') as Koffi, constants);
  } catch (error) {
    return `koffi did not load: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown error'}`;
  }
}
