import { Socket } from 'node:net';
import { systemClock, type Clock } from '../clock.js';
import type { Guard } from '../guard/harden.js';
import { verdictOf } from '../guard/verdict-of.js';
import type { Verdict } from '../guard/verdict.js';
import type { ClientAdapter, StopWatching } from './adapter.js';
import type { DriverSettings } from './driver-options.js';
import { IdleBeat, unansweredError } from './idle-beat.js';
import { isPathAlive } from './path-check.js';
import { receivedBytes } from './received-bytes.js';

type State =
  | { readonly name: 'watched'; readonly stopWatching: StopWatching; readonly beat: IdleBeat | undefined }
  | { readonly name: 'lost'; readonly error: unknown };

/** What every wrapper does for one client of a driver: hardens its socket, beats while it is idle, knows when it died. */
export class GuardedClient<C extends object> {
  readonly client: C;
  readonly #adapter: ClientAdapter<C>;
  readonly #settings: DriverSettings;
  readonly #clock: Clock;
  #guard: Guard | undefined;
  #state: State;

  constructor(client: C, adapter: ClientAdapter<C>, settings: DriverSettings, clock: Clock = systemClock) {
    this.client = client;
    this.#adapter = adapter;
    this.#settings = settings;
    this.#clock = clock;
    this.streamChanged();
    const stopWatching = adapter.onLost(client, error => this.#lost(error));
    this.#state = { name: 'watched', stopWatching, beat: this.#startBeat() };
  }

  get isLost(): boolean {
    return this.#state.name === 'lost';
  }

  /** What the client died of, as the driver told it. */
  get error(): unknown {
    return this.#state.name === 'lost' ? this.#state.error : undefined;
  }

  /** What its socket died of; undefined while it lives, and where the socket is out of reach. */
  get verdict(): Verdict | undefined {
    return verdictOf(this.error) ?? this.#guard?.verdict;
  }

  /** Hardens the stream the driver uses now: TLS over a connected socket is another stream. */
  streamChanged(): void {
    const stream = this.#adapter.stream?.(this.client);
    if (stream === this.#guard?.socket) return;
    this.#guard?.release();
    // A stream of another kind, such as a reconnecting one, looks after itself.
    this.#guard =
      stream instanceof Socket ? this.#settings.holdfast.harden(stream, this.#settings.socket) : undefined;
  }

  /** The client was used just now: the next beat is an interval away. */
  used(): void {
    if (this.#state.name === 'watched') this.#state.beat?.used();
  }

  /**
   * Whether the client can be handed out. After a silence its path is asked; a client whose path is dead is ended.
   * One round trip at most, and none for a client heard from lately.
   */
  async isUsable(): Promise<boolean> {
    if (this.isLost) return false;
    const socket = this.#guard?.socket;
    if (socket === undefined) return true;
    return (await isPathAlive(socket, this.#settings.probeAfterIdle)) && !this.isLost;
  }

  /** Takes everything off; the client itself goes on. */
  release(): void {
    if (this.#state.name === 'watched') {
      this.#state.stopWatching();
      this.#state.beat?.stop();
    }
    this.#guard?.release();
  }

  #startBeat(): IdleBeat | undefined {
    const adapter = this.#adapter;
    const times = this.#settings.beat;
    if (times === undefined || adapter.beat === undefined) return undefined;
    const beat = adapter.beat.bind(adapter);
    return new IdleBeat(this.#clock, times, {
      isIdle: () => adapter.isIdle?.(this.client) ?? true,
      beat: () => beat(this.client),
      received: () => this.#guard && receivedBytes(this.#guard.socket),
      giveUp: waited => this.#condemn(waited),
    });
  }

  #condemn(waited: number): void {
    if (this.#guard === undefined) void this.#adapter.close(this.client);
    else this.#guard.socket.destroy(unansweredError(waited));
  }

  #lost(error: unknown): void {
    if (this.#state.name === 'lost') return;
    const { beat } = this.#state;
    this.#state = { name: 'lost', error };
    beat?.stop();
  }
}
