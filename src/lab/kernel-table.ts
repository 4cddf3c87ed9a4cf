import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConntrack } from './conntrack-table.js';
import { LabError } from './lab-error.js';
import type { LabTools } from './lab-tools.js';
import type { Namespaces } from './namespaces.js';
import type { Flow } from './nat-lab.js';
import { OUTER_LINK } from './network-plan.js';

const FLUSH_LOOKS = 200;
const FLUSH_LOOK_EVERY_MS = 10;

/** The NAT's connection tracking table: reads it and empties it. */
export class KernelTable {
  readonly #namespaces: Namespaces;
  readonly #tools: LabTools;
  /** A process's own view of its network, readable from outside; absent without CONFIG_NF_CONNTRACK_PROCFS. */
  readonly #file: string;

  constructor(namespaces: Namespaces, tools: LabTools) {
    this.#namespaces = namespaces;
    this.#tools = tools;
    this.#file = `/proc/${namespaces.pid('nat')}/net/nf_conntrack`;
  }

  /** The kernel leaves expired flows out of the listing, though it may keep their memory for a while. */
  async flows(): Promise<Flow[]> {
    if (existsSync(this.#file)) return parseConntrack(await readFile(this.#file, 'utf8'));
    return parseConntrack(await this.#namespaces.run('nat', this.#listCommand()));
  }

  flowsSync(): Flow[] {
    if (existsSync(this.#file)) return parseConntrack(readFileSync(this.#file, 'utf8'));
    return parseConntrack(this.#namespaces.runSync('nat', this.#listCommand()));
  }

  /**
   * Forgets every flow. Without the `conntrack` tool the outer link goes down and up: the kernel drops what was
   * masqueraded through a link that went down, in the background, so this waits until the flows are gone.
   */
  async flush(): Promise<void> {
    const { conntrack, ip } = this.#tools;
    if (conntrack !== undefined) {
      await this.#namespaces.run('nat', `${conntrack} -F`);
      return;
    }
    const doomed = new Set((await this.flows()).map(flow => flow.translated));
    await this.#namespaces.run('nat', `${ip} link set ${OUTER_LINK} down\n${ip} link set ${OUTER_LINK} up\n`);
    for (let look = 0; look < FLUSH_LOOKS; look += 1) {
      if (!(await this.flows()).some(flow => doomed.has(flow.translated))) return;
      await delay(FLUSH_LOOK_EVERY_MS);
    }
    throw new LabError(
      'the flows outlived their link; install the conntrack tool (apt-get install conntrack)',
    );
  }

  #listCommand(): string {
    const { conntrack } = this.#tools;
    if (conntrack !== undefined) return `${conntrack} -L -p tcp -f ipv4\n${conntrack} -L -p tcp -f ipv6\n`;
    throw new LabError(
      'this kernel has no /proc/net/nf_conntrack; install the conntrack tool (apt-get install conntrack)',
    );
  }
}
