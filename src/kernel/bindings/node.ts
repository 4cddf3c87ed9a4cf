import { Socket } from 'node:net';
import type { KernelBinding, KernelSettings, SettingName, WriteFailures } from '../binding.js';
import { wholeSeconds } from '../binding.js';
import type { TcpHandle } from '../handle.js';

/**
 * Node's own setter on the handle. Interval and count need Node 24.19 or 26.4; before that Node itself sets
 * them to 1 s and 10 whenever it sets the idle time. It can't read anything back.
 */
class NodeBinding implements KernelBinding {
  readonly name = 'node';
  readonly sets: ReadonlySet<SettingName>;
  readonly cannot: WriteFailures;
  readonly #takesIntervalAndCount: boolean;

  constructor(takesIntervalAndCount: boolean) {
    this.#takesIntervalAndCount = takesIntervalAndCount;
    this.sets = new Set<SettingName>(
      takesIntervalAndCount ? ['keepalive', 'idle', 'interval', 'count'] : ['keepalive', 'idle'],
    );
    const why = `Node ${process.versions.node} sets interval 1 s and count 10 itself; 24.19 or 26.4 is needed`;
    const userTimeout = 'Node has no setter for TCP_USER_TIMEOUT';
    this.cannot = takesIntervalAndCount ? { userTimeout } : { interval: why, count: why, userTimeout };
  }

  write(handle: TcpHandle, settings: Partial<KernelSettings>): WriteFailures {
    const failures: WriteFailures = {};
    const { keepalive, idle, interval, count } = settings;
    if (keepalive === false) {
      this.#call(failures, ['keepalive'], () => handle.setKeepAlive(false, 0));
    } else if (idle !== undefined) {
      const seconds = wholeSeconds(idle);
      if (this.#takesIntervalAndCount && interval !== undefined && count !== undefined) {
        this.#call(failures, ['keepalive', 'idle', 'interval', 'count'], () =>
          handle.setKeepAlive(true, seconds, wholeSeconds(interval), count),
        );
      } else {
        this.#call(failures, ['keepalive', 'idle'], () => handle.setKeepAlive(true, seconds));
      }
    }
    return failures;
  }

  read(): undefined {
    return undefined;
  }

  tcpInfo(): undefined {
    return undefined;
  }

  #call(failures: WriteFailures, names: readonly SettingName[], set: () => number): void {
    const status = set();
    if (status !== 0) for (const name of names) failures[name] = `uv_tcp_keepalive: error ${status}`;
  }
}

/** Whether this Node's `setKeepAlive` takes an interval and a count (from 24.19 and 26.4). */
export function nodeSetsIntervalAndCount(): boolean {
  return Socket.prototype.setKeepAlive.length >= 4;
}

export function loadNodeBinding(): KernelBinding {
  return new NodeBinding(nodeSetsIntervalAndCount());
}
