import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** Linux's numbers, written out here a second time: the reader shares nothing with the library it checks. */
const OPTIONS = {
  keepalive: [1, 9],
  idle: [6, 4],
  interval: [6, 5],
  count: [6, 6],
  userTimeout: [6, 18],
} as const;

export interface KernelValues {
  /** 1 or 0. */
  readonly keepalive: number;
  /** Seconds. */
  readonly idle: number;
  /** Seconds. */
  readonly interval: number;
  readonly count: number;
  /** Milliseconds. */
  readonly userTimeout: number;
}

type Call = (fd: number, level: number, option: number, value: Buffer, length: Buffer) => number;
interface Koffi {
  load(path: null): { func(name: string, result: string, args: readonly string[]): Call };
}

const koffi = createRequire(import.meta.url)('koffi') as Koffi;
const getsockopt = koffi.load(null).func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']);

/** The descriptor of a connected socket, below TLS where there is TLS. */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as {
    _handle: { fd: number; _parent?: { fd: number } } | null;
  };
  const fd = (handle?._parent ?? handle)?.fd ?? -1;
  if (fd < 0) throw new Error('the socket has no open descriptor');
  return fd;
}

/** What the kernel holds for a descriptor, asked without the library. */
export function readKernel(socketOrFd: Socket | number): KernelValues {
  const fd = typeof socketOrFd === 'number' ? socketOrFd : descriptorOf(socketOrFd);
  const values = Object.entries(OPTIONS).map(([name, [level, option]]) => {
    const value = Buffer.alloc(4);
    const length = Buffer.from([4, 0, 0, 0]);
    if (getsockopt(fd, level, option, value, length) !== 0) throw new Error(`getsockopt failed for ${name}`);
    return [name, value.readInt32LE()];
  });
  return Object.fromEntries(values) as KernelValues;
}
