import { LabError } from './lab-error.js';
import type { Side } from './nat-lab.js';
import { INNER_LINK, OUTER_LINK, SERVER_ADDRESS, SERVER_ADDRESS6 } from './network-plan.js';
import type { EffectiveSettings, Expiry } from './options.js';

const TABLE = 'holdfast_lab';

/** Packets of forgotten flows since the lab was made. */
export type RefusalCounts = Readonly<Record<'reset' | 'dropped', Readonly<Record<Side, number>>>>;

/** The ruleset, for `nft -f -`. Loading it again changes the rules in one step and keeps the counters. */
export function natRules(expiry: Expiry): string {
  return `
table inet ${TABLE} {
  counter reset_client { }
  counter reset_server { }
  counter dropped_client { }
  counter dropped_server { }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept; }
  chain forward { type filter hook forward priority filter; policy accept; }
  chain input { type filter hook input priority filter; policy accept; }
  chain output { type filter hook output priority raw; policy accept; }
}
flush table inet ${TABLE}
table inet ${TABLE} {
  chain postrouting {
    oifname "${OUTER_LINK}" masquerade
  }
  chain forward {
    ${refuse(INNER_LINK, 'client', expiry)}
    ct state invalid drop
    iifname "${OUTER_LINK}" ct state new drop
  }
  chain input {
    ${refuse(OUTER_LINK, 'server', expiry)}
  }
  chain output {
    meta l4proto tcp notrack
    oifname "${INNER_LINK}" meta l4proto tcp ip saddr set ${SERVER_ADDRESS}
    oifname "${INNER_LINK}" meta l4proto tcp ip6 saddr set ${SERVER_ADDRESS6}
  }
}
`;
}

/**
 * A packet of a forgotten flow is in state `invalid`, because nf_conntrack_tcp_loose is 0. From the client it meets
 * the forward hook; from the server it meets the input hook, since its destination is the NAT's own address and
 * nothing translates it any more. `reject` takes the RST's sequence number from the packet it answers, so the
 * sender's kernel accepts it; a RST is never answered. What the NAT itself sends, the RSTs and the SYNs of
 * `reset-at-expiry`, is not tracked, so that it makes no flow anew, and goes to the client in the server's name.
 */
function refuse(link: string, from: Side, expiry: Expiry): string {
  const forgotten = `iifname "${link}" meta l4proto tcp ct state invalid`;
  const drop = `counter name "dropped_${from}" drop`;
  if (expiry === 'drop') return `${forgotten} ${drop}`;
  return `${forgotten} tcp flags rst ${drop}
    ${forgotten} counter name "reset_${from}" reject with tcp reset`;
}

/** Shell line that prints the counters for {@link parseCounters}. */
export function countersCommand(nft: string): string {
  return `${nft} -j list counters table inet ${TABLE}`;
}

export function parseCounters(json: string): RefusalCounts {
  const counts = { reset: { client: 0, server: 0 }, dropped: { client: 0, server: 0 } };
  const { nftables } = JSON.parse(json) as { nftables?: { counter?: { name: string; packets: number } }[] };
  if (!nftables) throw new LabError('nft printed no counters');
  for (const { counter } of nftables) {
    const [, kind, from] = /^(reset|dropped)_(client|server)$/.exec(counter?.name ?? '') ?? [];
    if (counter && kind && from) counts[kind as keyof RefusalCounts][from as Side] = counter.packets;
  }
  return counts;
}

/**
 * Shell lines for conntrack. The idle timeout is that of established flows; two shorter ones that would cut in
 * when a segment stays unacknowledged (300 s) are never below it. `tcp_be_liberal` keeps out-of-window packets of a
 * living flow from counting as forgotten. Half-closed and closing flows keep the kernel's 10 to 120 s.
 */
export function conntrackSettings({ idleTimeout }: EffectiveSettings): string {
  const seconds = idleTimeout / 1000;
  const directory = '/proc/sys/net/netfilter';
  return `
echo 0 > ${directory}/nf_conntrack_tcp_loose
echo 1 > ${directory}/nf_conntrack_tcp_be_liberal
echo ${seconds} > ${directory}/nf_conntrack_tcp_timeout_established
echo ${Math.max(300, seconds)} > ${directory}/nf_conntrack_tcp_timeout_unacknowledged
echo ${Math.max(300, seconds)} > ${directory}/nf_conntrack_tcp_timeout_max_retrans
`;
}
