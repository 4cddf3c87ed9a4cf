import { portOf } from '../../../src/lab/conntrack-table.js';
import type { NatLab } from '../../../src/lab/index.js';
import { establishedFlows } from '../../support/nat.js';

/** The established flows that the NAT knows, as `client's port>server's port`. */
export async function knownFlows(lab: NatLab): Promise<ReadonlySet<string>> {
  const flows = await establishedFlows(lab);
  return new Set(flows.map(({ client, server }) => `${portOf(client)}>${portOf(server)}`));
}
