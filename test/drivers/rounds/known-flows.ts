import type { NatLab } from '../../../src/lab/index.js';

const LOOKS = 3;

/** The established flows that the NAT knows, as `client's port>server's port`. */
export async function knownFlows(lab: NatLab): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  // The kernel hands its table out page by page, while it changes: a flow can be missing in one look.
  for (let look = 0; look < LOOKS; look++) {
    for (const { client, server, state } of await lab.flows()) {
      if (state === 'ESTABLISHED') known.add([client, server].map(portOf).join('>'));
    }
  }
  return known;
}

function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(':') + 1);
}
