import { closeSync, openSync, statSync } from 'node:fs';
import { LabError } from './lab-error.js';

const CLONE_NEWNET = 0x4000_0000;
/** The calling thread's own entry; /proc/self would be the main thread's. */
const HERE = '/proc/thread-self/ns/net';

/** Moves the calling thread between network namespaces: setns(2), through koffi. */
export class ThreadNetwork {
  readonly #setns: (fd: number) => void;

  private constructor(setns: (fd: number) => void) {
    this.#setns = setns;
  }

  /** Rejects where koffi can't be loaded. */
  static async load(): Promise<ThreadNetwork> {
    const { default: koffi } = await import('koffi');
    const setns = koffi.load(null).func('setns', 'int', ['int', 'int']) as (
      fd: number,
      type: number,
    ) => number;
    return new ThreadNetwork(fd => {
      if (setns(fd, CLONE_NEWNET) === 0) return;
      const errno = koffi.errno();
      const help =
        errno === koffi.os.errno['EPERM']
          ? ': this process must be root, or root in a user namespace (unshare --user --map-root-user --net)'
          : '';
      throw new LabError(`could not enter the network: setns failed with errno ${errno}${help}`);
    });
  }

  /** Enters the namespace behind a descriptor of /proc/PID/ns/net. Throws a {@link LabError} without the right to. */
  enter(fd: number): void {
    this.#setns(fd);
  }

  /** Runs `fn` there and comes back, whatever it does. */
  inside<T>(fd: number, fn: () => T): T {
    const back = openNetwork();
    try {
      this.#setns(fd);
      try {
        return fn();
      } finally {
        this.#setns(back);
      }
    } finally {
      closeSync(back);
    }
  }
}

/** A descriptor of the calling thread's network, or of a process's. Holds it in existence until closed. */
export function openNetwork(pid?: number): number {
  return openSync(pid === undefined ? HERE : `/proc/${pid}/ns/net`, 'r');
}

/** Which network the calling thread is in; equal numbers mean the same one. */
export function currentNetwork(): number {
  return statSync(HERE).ino;
}

/** Which network that process is in. */
export function networkOf(pid: number): number {
  return statSync(`/proc/${pid}/ns/net`).ino;
}
