import { FakeClock } from '../../support/fake-clock.js';

/** A clock whose process, or whole machine, can be put to sleep: time then passes and no timer fires. */
export class SleepyClock extends FakeClock {
  #now = 0;
  #wall = 0;

  override now(): number {
    return super.now() + this.#now;
  }

  override wall(): number {
    return super.wall() + this.#wall;
  }

  /** The process does not run, the machine does. */
  stopProcess(ms: number): void {
    this.#now += ms;
    this.#wall += ms;
  }

  /** The monotonic clock stands still too. A negative time sets the wall clock back. */
  suspendMachine(ms: number): void {
    this.#wall += ms;
  }
}
