import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { LabError } from './lab-error.js';
import { NatLab, type Flow, type Route, type Side } from './nat-lab.js';
import type { EffectiveSettings } from './options.js';
import { RelayFlow } from './relay-flow.js';

const LOOPBACK = '127.0.0.1';

/**
 * A TCP relay on loopback that forgets idle flows: runs anywhere, without rights. The relay's kernel answers
 * keepalives and acknowledges data by itself, so only payload keeps a flow, and only payload or a FIN notices that
 * it is gone, as behind an L7 balancer.
 */
export class EmulatedNat extends NatLab {
  readonly backend = 'emulated';
  readonly serverAddress = LOOPBACK;
  readonly serverAddress6 = undefined;
  readonly #relays = new Map<number, Promise<Server>>();
  readonly #flows = new Set<RelayFlow>();

  async route(port: number): Promise<Route> {
    this.assertOpen();
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new LabError(`route: port is ${port}, allowed: 1 to 65535`);
    }
    const starting = this.#relays.get(port) ?? this.#startRelay(port);
    this.#relays.set(port, starting);
    const { port: relayPort } = (await starting).address() as AddressInfo;
    return { host: LOOPBACK, port: relayPort };
  }

  enter(): void {
    this.assertOpen();
    throw new LabError('enter needs the kernel backend: in the emulated one both sides are this host');
  }

  inside<T>(_side: Side | 'host', fn: () => T): T {
    this.assertOpen();
    return fn();
  }

  flows(): Promise<Flow[]> {
    this.assertOpen();
    return Promise.resolve([...this.#flows].flatMap(flow => flow.describe() ?? []));
  }

  forget(): Promise<void> {
    this.assertOpen();
    for (const flow of [...this.#flows]) flow.forget();
    return Promise.resolve();
  }

  protected commandOn(
    _side: Side,
    command: string,
    args: readonly string[],
    _options: SpawnOptions,
  ): [program: string, args: string[]] {
    return [command, [...args]];
  }

  protected watch(): void {
    // The relay sees every packet anyway.
  }

  protected apply(settings: EffectiveSettings): Promise<EffectiveSettings> {
    return Promise.resolve(settings);
  }

  protected async tearDown(): Promise<void> {
    const relays = await Promise.all(this.#relays.values());
    const closed = relays.map(relay => new Promise(resolve => relay.close(resolve)));
    for (const flow of [...this.#flows]) flow.destroy();
    this.#flows.clear();
    await Promise.all(closed);
  }

  async #startRelay(port: number): Promise<Server> {
    const relay = createServer({ allowHalfOpen: true }, client => this.#relay(client, port));
    relay.listen(0, LOOPBACK);
    await once(relay, 'listening');
    return relay.unref();
  }

  #relay(client: Socket, port: number): void {
    const server = connect({ host: LOOPBACK, port, allowHalfOpen: true });
    const flow = new RelayFlow(client, server, {
      settings: () => this.settings,
      flowForgotten: forgotten => this.emit('evicted', { at: this.age(), flow: forgotten }),
      packetRefused: (kind, from) => this.emit(kind, { at: this.age(), from, packets: 1 }),
      flowClosed: () => void this.#flows.delete(flow),
    });
    this.#flows.add(flow);
    const started = flow.describe();
    if (started) this.emit('flow', { at: this.age(), flow: started });
  }
}
