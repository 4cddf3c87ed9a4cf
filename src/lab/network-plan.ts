/**
 * The lab's network. Private to its namespaces, so labs side by side use the same addresses:
 *
 *     client 10.77.1.2 ── 10.77.1.1 nat 10.77.2.1 ── 10.77.2.2 server
 *         fd77:1::2 ──────── fd77:1::1   fd77:2::1 ──────── fd77:2::2
 *
 * The server has no route to the client's subnet: only what the NAT translates is ever answered.
 */
export const SERVER_ADDRESS = '10.77.2.2';
export const SERVER_ADDRESS6 = 'fd77:2::2';
/** The NAT's interface towards the clients, and the one towards the servers. */
export const INNER_LINK = 'lan';
export const OUTER_LINK = 'wan';

/** Lines for `ip -batch` in the NAT: both pairs of links, each made with its far end already in its namespace. */
export function natLinks(clientPid: number, serverPid: number, { ipv6 }: { readonly ipv6: boolean }): string {
  return lines(
    'link set lo up',
    `link add ${INNER_LINK} type veth peer name eth0 netns ${clientPid}`,
    `link add ${OUTER_LINK} type veth peer name eth0 netns ${serverPid}`,
    `address add 10.77.1.1/24 dev ${INNER_LINK}`,
    `address add 10.77.2.1/24 dev ${OUTER_LINK}`,
    ipv6 && `address add fd77:1::1/64 dev ${INNER_LINK} nodad`,
    ipv6 && `address add fd77:2::1/64 dev ${OUTER_LINK} nodad`,
    `link set ${INNER_LINK} up`,
    `link set ${OUTER_LINK} up`,
  );
}

export function clientLinks({ ipv6 }: { readonly ipv6: boolean }): string {
  return lines(
    'link set lo up',
    'address add 10.77.1.2/24 dev eth0',
    ipv6 && 'address add fd77:1::2/64 dev eth0 nodad',
    'link set eth0 up',
    'route add default via 10.77.1.1',
    ipv6 && 'route add default via fd77:1::1',
  );
}

export function serverLinks({ ipv6 }: { readonly ipv6: boolean }): string {
  return lines(
    'link set lo up',
    `address add ${SERVER_ADDRESS}/24 dev eth0`,
    ipv6 && `address add ${SERVER_ADDRESS6}/64 dev eth0 nodad`,
    'link set eth0 up',
  );
}

/** Shell lines that make the middle namespace a router. */
export function routing({ ipv6 }: { readonly ipv6: boolean }): string {
  return lines(
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    ipv6 && 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
    // forget() may take this link down and up; its IPv6 address must survive that.
    ipv6 && `echo 1 > /proc/sys/net/ipv6/conf/${OUTER_LINK}/keep_addr_on_down`,
  );
}

function lines(...parts: readonly (string | false)[]): string {
  return parts.filter(part => part !== false).join('\n') + '\n';
}
