import type { Clock } from '../../src/clock.js';
import type { KernelBinding, KernelSettings, SettingName, WriteFailures } from '../../src/kernel/binding.js';
import type { TcpHandle } from '../../src/kernel/handle.js';
import { Kernel } from '../../src/kernel/kernel.js';
import { decodeTcpInfo, type TcpInfo } from '../../src/kernel/tcp-info.js';

export type Answer = 'acknowledges' | 'resets' | 'is lost';

/**
 * A connection as one kernel sees it, on a fake clock: lowering the idle time below the silence sends a keepalive, and
 * `answer` says what becomes of each.
 */
export class FakePath implements KernelBinding {
  readonly name = 'koffi';
  readonly sets: ReadonlySet<SettingName> = new Set([
    'keepalive',
    'idle',
    'interval',
    'count',
    'userTimeout',
  ]);
  /** What the path does with the n-th keepalive, from 0. */
  answer: (n: number) => Answer = () => 'acknowledges';
  roundTrip = 5;
  sent = 0;
  closed = false;
  /** Every write, in order. */
  readonly writes: Partial<KernelSettings>[] = [];
  readonly settings: KernelSettings = {
    keepalive: false,
    idle: 7_200_000,
    interval: 75_000,
    count: 9,
    userTimeout: 0,
  };
  fields: Partial<TcpInfo> = {};
  heardAt: number;
  readonly kernel: Kernel;
  readonly #clock: Clock;

  constructor(clock: Clock, silence: number) {
    this.#clock = clock;
    this.heardAt = clock.now() - silence;
    this.kernel = new Kernel([this]);
  }

  write(_handle: TcpHandle, settings: Partial<KernelSettings>): WriteFailures {
    this.writes.push(settings);
    Object.assign(this.settings, settings);
    if (settings.idle === undefined || !this.settings.keepalive) return {};
    const due = settings.idle - (this.#clock.now() - this.heardAt);
    if (due <= 0) this.#send();
    else this.#clock.after(due, () => this.settings.idle === settings.idle && this.#send());
    return {};
  }

  read(): KernelSettings {
    return { ...this.settings };
  }

  tcpInfo(): TcpInfo | undefined {
    if (this.closed) return undefined;
    const silence = Math.floor(this.#clock.now() - this.heardAt);
    const blank = decodeTcpInfo(Buffer.alloc(512), 232);
    if (blank === undefined) throw new Error('a full TCP_INFO did not decode');
    const base = { ...blank, state: 1, rtt: this.roundTrip, bytesAcked: 1 };
    return { ...base, lastAckRecv: silence, lastDataRecv: silence, lastDataSent: silence, ...this.fields };
  }

  #send(): void {
    const answer = this.answer(this.sent++);
    if (answer === 'is lost') return;
    this.#clock.after(this.roundTrip, () => {
      if (answer === 'resets') this.fields = { ...this.fields, state: 7 };
      else this.heardAt = this.#clock.now();
    });
  }
}
