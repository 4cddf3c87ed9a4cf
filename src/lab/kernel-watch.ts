import { compareTables } from './conntrack-table.js';
import type { Flow, Side } from './nat-lab.js';
import type { RefusalCounts } from './nft-rules.js';

const LOOK_EVERY_MS = 250;

export interface Sighting {
  readonly flows: readonly Flow[];
  readonly counts: RefusalCounts;
}

/** Where a {@link KernelWatch} looks, and whom it tells. */
export interface WatchPort {
  look(): Promise<Sighting>;
  lookSync(): Sighting;
  flowAppeared(flow: Flow): void;
  flowsEvicted(flows: readonly Flow[]): void;
  packetsRefused(kind: 'reset' | 'dropped', from: Side, packets: number): void;
}

/** Looks at the NAT again and again while it is on, and tells what changed. Never holds the process open. */
export class KernelWatch {
  readonly #port: WatchPort;
  #run: { last: Sighting } | undefined;

  constructor(port: WatchPort) {
    this.#port = port;
  }

  /** Takes the first look before it returns, so whatever the caller does next is seen as new. Idempotent. */
  start(): void {
    if (this.#run) return;
    const run = { last: this.#port.lookSync() };
    this.#run = run;
    this.#scheduleLook(run);
  }

  stop(): void {
    this.#run = undefined;
  }

  #scheduleLook(run: { last: Sighting }): void {
    setTimeout(() => void this.#look(run), LOOK_EVERY_MS).unref();
  }

  async #look(run: { last: Sighting }): Promise<void> {
    if (this.#run !== run) return;
    // A look that fails (the lab is being closed) changes nothing; the next one tells.
    const now = await this.#port.look().catch(() => run.last);
    if (this.#run !== run) return;
    const before = run.last;
    run.last = now;
    this.#scheduleLook(run);
    this.#tell(before, now);
  }

  #tell(before: Sighting, now: Sighting): void {
    const { appeared, evicted } = compareTables(before.flows, now.flows);
    for (const flow of appeared) this.#port.flowAppeared(flow);
    if (evicted.length > 0) this.#port.flowsEvicted(evicted);
    for (const kind of ['reset', 'dropped'] as const) {
      for (const from of ['client', 'server'] as const) {
        const packets = now.counts[kind][from] - before.counts[kind][from];
        if (packets > 0) this.#port.packetsRefused(kind, from, packets);
      }
    }
  }
}
