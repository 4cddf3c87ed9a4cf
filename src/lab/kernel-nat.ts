import type { SpawnOptions } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { portOf } from './conntrack-table.js';
import { KernelTable } from './kernel-table.js';
import { KernelWatch, type Sighting } from './kernel-watch.js';
import { LabError } from './lab-error.js';
import { findLabTools, type LabTools } from './lab-tools.js';
import { Namespaces } from './namespaces.js';
import { NatLab, type Flow, type Route, type Side } from './nat-lab.js';
import {
  clientLinks,
  natLinks,
  routing,
  SERVER_ADDRESS,
  SERVER_ADDRESS6,
  serverLinks,
} from './network-plan.js';
import { conntrackSettings, countersCommand, natRules, parseCounters } from './nft-rules.js';
import type { EffectiveSettings } from './options.js';
import { currentNetwork, networkOf, openNetwork, ThreadNetwork } from './thread-network.js';

const CALL_OUT = fileURLToPath(new URL('./call-out.js', import.meta.url));

/** Linux's own NAT: network namespaces, veth pairs, nftables and connection tracking. */
export class KernelNat extends NatLab {
  readonly backend = 'kernel';
  readonly serverAddress = SERVER_ADDRESS;
  readonly serverAddress6: string | undefined;

  readonly #namespaces: Namespaces;
  readonly #tools: LabTools;
  readonly #table: KernelTable;
  readonly #watch: KernelWatch;
  readonly #thread: ThreadNetwork | LabError;
  readonly #descriptors: Readonly<Record<Side | 'host', number>>;
  #isListenedTo = false;

  private constructor(parts: KernelParts) {
    super(parts.settings);
    this.serverAddress6 = parts.ipv6 ? SERVER_ADDRESS6 : undefined;
    this.#namespaces = parts.namespaces;
    this.#tools = parts.tools;
    this.#table = parts.table;
    this.#thread = parts.thread;
    this.#descriptors = {
      client: openNetwork(parts.namespaces.pid('client')),
      server: openNetwork(parts.namespaces.pid('server')),
      host: openNetwork(),
    };
    this.#watch = new KernelWatch({
      look: () => this.#look(),
      lookSync: () => this.#lookSync(),
      flowAppeared: flow => this.emit('flow', { at: this.age(), flow }),
      flowsEvicted: flows => this.#evicted(flows),
      packetsRefused: (kind, from, packets) => this.emit(kind, { at: this.age(), from, packets }),
    });
    this.#watchIfNeeded();
  }

  /** Builds the network. Rejects with a {@link LabError} that names what this machine lacks. */
  static async build(asked: EffectiveSettings, tools: LabTools = findLabTools()): Promise<KernelNat> {
    const settings = wholeSeconds(asked);
    const ipv6 = existsSync('/proc/sys/net/ipv6');
    const namespaces = await Namespaces.hold(tools);
    try {
      const batch = (lines: string): string => `${tools.ip} -batch - <<'END'\n${lines}END\n`;
      const links = natLinks(namespaces.pid('client'), namespaces.pid('server'), { ipv6 });
      // The rules come first: they load connection tracking, and with it its settings.
      await namespaces.run(
        'nat',
        batch(links) + loadRules(tools, settings) + conntrackSettings(settings) + routing({ ipv6 }),
      );
      await Promise.all([
        namespaces.run('client', batch(clientLinks({ ipv6 }))),
        namespaces.run('server', batch(serverLinks({ ipv6 }))),
      ]);
      const thread = await ThreadNetwork.load().catch(
        (cause: unknown) => new LabError("entering a network needs koffi, which can't be loaded", { cause }),
      );
      const table = new KernelTable(namespaces, tools);
      return new KernelNat({ settings, tools, ipv6, namespaces, table, thread });
    } catch (cause) {
      await namespaces.release();
      if (cause instanceof LabError) throw cause;
      throw new LabError(`could not build the network: ${String(cause)}`, { cause });
    }
  }

  route(port: number): Promise<Route> {
    this.assertOpen();
    return Promise.resolve({ host: this.serverAddress, port });
  }

  enter(side: Side | 'host'): void {
    this.assertOpen();
    this.#mover().enter(this.#descriptors[side]);
  }

  inside<T>(side: Side | 'host', fn: () => T): T {
    this.assertOpen();
    return this.#mover().inside(this.#descriptors[side], fn);
  }

  async flows(): Promise<Flow[]> {
    this.assertOpen();
    return this.#table.flows();
  }

  async forget(): Promise<void> {
    this.assertOpen();
    await this.#table.flush();
  }

  protected commandOn(
    side: Side,
    command: string,
    args: readonly string[],
    options: SpawnOptions,
  ): [program: string, args: string[]] {
    return this.#namespaces.command(side, [command, ...args], { tied: options.detached !== true });
  }

  protected watch(isWanted: boolean): void {
    this.#isListenedTo = isWanted;
    this.#watchIfNeeded();
  }

  protected async apply(asked: EffectiveSettings): Promise<EffectiveSettings> {
    const settings = wholeSeconds(asked);
    await this.#namespaces.run('nat', loadRules(this.#tools, settings) + conntrackSettings(settings));
    this.#watchIfNeeded(settings);
    return settings;
  }

  protected async tearDown(): Promise<void> {
    this.#watch.stop();
    // A thread left behind would hold the namespace and find itself in a network without a way out.
    if (!(this.#thread instanceof LabError) && this.#threadIsInside()) {
      this.#thread.enter(this.#descriptors.host);
    }
    Object.values(this.#descriptors).forEach(closeSync);
    await this.#namespaces.release();
  }

  #threadIsInside(): boolean {
    const here = currentNetwork();
    return (['client', 'server'] as const).some(side => networkOf(this.#namespaces.pid(side)) === here);
  }

  #mover(): ThreadNetwork {
    if (this.#thread instanceof LabError) throw this.#thread;
    return this.#thread;
  }

  #watchIfNeeded({ expiry } = this.settings): void {
    if (this.#isListenedTo || expiry === 'reset-at-expiry') this.#watch.start();
    else this.#watch.stop();
  }

  #evicted(flows: readonly Flow[]): void {
    if (this.expiry === 'reset-at-expiry') void this.#reset(flows);
    for (const flow of flows) this.emit('evicted', { at: this.age(), flow });
  }

  /** Connection tracking forgets in silence: the NAT makes both ends speak, and answers them with a RST. */
  async #reset(flows: readonly Flow[]): Promise<void> {
    const ends = flows.flatMap(({ client, server, translated = '' }) => [
      [portOf(server), client],
      [portOf(translated), server],
    ]);
    const words = [process.execPath, CALL_OUT, ...ends.flat()].map(word => `'${word}'`);
    await this.#namespaces.run('nat', words.join(' ')).catch(() => undefined); // the lab is being closed
  }

  async #look(): Promise<Sighting> {
    const [flows, counters] = await Promise.all([
      this.#table.flows(),
      this.#namespaces.run('nat', countersCommand(this.#tools.nft)),
    ]);
    return { flows, counts: parseCounters(counters) };
  }

  #lookSync(): Sighting {
    const counters = this.#namespaces.runSync('nat', countersCommand(this.#tools.nft));
    return { flows: this.#table.flowsSync(), counts: parseCounters(counters) };
  }
}

interface KernelParts {
  readonly settings: EffectiveSettings;
  readonly tools: LabTools;
  readonly ipv6: boolean;
  readonly namespaces: Namespaces;
  readonly table: KernelTable;
  /** The error to throw when someone wants to enter. */
  readonly thread: ThreadNetwork | LabError;
}

/** Connection tracking counts in seconds. */
function wholeSeconds(settings: EffectiveSettings): EffectiveSettings {
  return Object.freeze({ ...settings, idleTimeout: Math.ceil(settings.idleTimeout / 1000) * 1000 });
}

function loadRules(tools: LabTools, { expiry }: EffectiveSettings): string {
  return `${tools.nft} -f - <<'END'\n${natRules(expiry)}END\n`;
}
