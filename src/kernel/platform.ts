/**
 * The numbers behind the names, for each platform.
 *
 * Sources: Linux include/uapi/linux/tcp.h and asm-generic/socket.h; macOS <netinet/tcp.h>; FreeBSD
 * <netinet/tcp.h>. Only Linux is exercised by the tests; the others follow their headers.
 */
export interface PlatformConstants {
  readonly SOL_SOCKET: number;
  readonly SO_KEEPALIVE: number;
  readonly IPPROTO_TCP: number;
  /** Seconds. TCP_KEEPALIVE on macOS. */
  readonly TCP_KEEPIDLE: number;
  /** Seconds. */
  readonly TCP_KEEPINTVL: number;
  readonly TCP_KEEPCNT: number;
  /** Milliseconds; undefined where the platform has no such option. */
  readonly TCP_USER_TIMEOUT: number | undefined;
  readonly TCP_INFO: number | undefined;
}

const LINUX: PlatformConstants = {
  SOL_SOCKET: 1,
  SO_KEEPALIVE: 9,
  IPPROTO_TCP: 6,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_USER_TIMEOUT: 18,
  TCP_INFO: 11,
};

const DARWIN: PlatformConstants = {
  SOL_SOCKET: 0xffff,
  SO_KEEPALIVE: 8,
  IPPROTO_TCP: 6,
  TCP_KEEPIDLE: 0x10,
  TCP_KEEPINTVL: 0x101,
  TCP_KEEPCNT: 0x102,
  TCP_USER_TIMEOUT: undefined,
  TCP_INFO: undefined,
};

const FREEBSD: PlatformConstants = {
  SOL_SOCKET: 0xffff,
  SO_KEEPALIVE: 8,
  IPPROTO_TCP: 6,
  TCP_KEEPIDLE: 256,
  TCP_KEEPINTVL: 512,
  TCP_KEEPCNT: 1024,
  TCP_USER_TIMEOUT: undefined,
  TCP_INFO: undefined,
};

/** MIPS and a few others number SOL_SOCKET differently; on those only Node's own binding is used. */
const LINUX_GENERIC_ARCHES: ReadonlySet<string> = new Set([
  'x64',
  'ia32',
  'arm',
  'arm64',
  'riscv64',
  'loong64',
  's390x',
  'ppc64',
]);

/** undefined: this platform's options are out of reach of getsockopt as the library calls it (Windows). */
export function platformConstants(platform: NodeJS.Platform, arch: string): PlatformConstants | undefined {
  if (platform === 'linux') return LINUX_GENERIC_ARCHES.has(arch) ? LINUX : undefined;
  if (platform === 'darwin') return DARWIN;
  if (platform === 'freebsd') return FREEBSD;
  return undefined;
}
