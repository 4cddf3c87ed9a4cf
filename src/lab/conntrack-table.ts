import { isIPv6, SocketAddress } from 'node:net';
import type { Flow } from './nat-lab.js';

/** Matches a TCP line of /proc/net/nf_conntrack and of `conntrack -L`, which differ only before it. */
const TUPLE = String.raw`src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)`;
const TCP_LINE = new RegExp(String.raw`\btcp\s+6\s+(\d+)\s+([A-Z_0-9]+)\s+${TUPLE}\s.*?${TUPLE}`);

/** The TCP flows in a listing of the connection tracking table. */
export function parseConntrack(listing: string): Flow[] {
  return listing.split('\n').flatMap(line => {
    const match = TCP_LINE.exec(line);
    if (!match) return [];
    // Second tuple: what the answer looks like, so its destination is the client as translated.
    const [
      ,
      seconds = '',
      state = '',
      source = '',
      destination = '',
      from = '',
      to = '',
      ,
      seen = '',
      ,
      at = '',
    ] = match;
    return [
      {
        client: endpoint(source, from),
        server: endpoint(destination, to),
        translated: endpoint(seen, at),
        state,
        expiresIn: Number(seconds) * 1000,
      },
    ];
  });
}

/** `host:port`, IPv6 shortened and in brackets. */
export function endpoint(address: string, port: string | number): string {
  if (!isIPv6(address)) return `${address}:${port}`;
  return `[${new SocketAddress({ address, family: 'ipv6' }).address}]:${port}`;
}

/** The port of an {@link endpoint}. */
export function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(':') + 1);
}

export interface TableChange {
  readonly appeared: readonly Flow[];
  /** Gone straight from ESTABLISHED: forgotten. A flow that closes stays for seconds in a closing state first. */
  readonly evicted: readonly Flow[];
}

/** What happened between two looks at the table. */
export function compareTables(before: readonly Flow[], after: readonly Flow[]): TableChange {
  const known = new Set(before.map(key));
  const present = new Set(after.map(key));
  return {
    appeared: after.filter(flow => !known.has(key(flow))),
    evicted: before.filter(flow => flow.state === 'ESTABLISHED' && !present.has(key(flow))),
  };
}

function key(flow: Flow): string {
  return `${flow.client} ${flow.server}`;
}
