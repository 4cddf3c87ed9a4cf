import { BlockList, isIP } from 'node:net';
import { parseTarget, type TargetPattern } from '../options/targets.js';

/** A peer as far as it is known: the name asked for, and the address once connected. */
export interface Peer {
  readonly host: string | undefined;
  readonly address: string | undefined;
  readonly port: number;
}

/** One entry, ready to be asked. */
interface Entry {
  readonly isExclude: boolean;
  hasPort(port: number): boolean;
  /** undefined: not known before the address is. */
  hasHost(host: string | undefined, address: string | undefined): boolean | undefined;
  /** Whether it may speak for loopback: it names it, rather than catching it by a wildcard. */
  readonly isPrecise: boolean;
}

/** Decides which peers `targets` means. Excludes win over includes, wherever they stand. */
export class TargetMatcher {
  readonly #includes: readonly Entry[];
  readonly #excludes: readonly Entry[];

  /** @param targets entries the option table has accepted; none: every peer that is not loopback */
  constructor(targets: readonly string[]) {
    const entries = targets
      .map(text => parseTarget(text))
      .filter(pattern => typeof pattern !== 'string')
      .map(compile);
    this.#includes = entries.filter(({ isExclude }) => !isExclude);
    this.#excludes = entries.filter(({ isExclude }) => isExclude);
  }

  /** @returns undefined when that depends on an address not known yet */
  matches({ host, address, port }: Peer): boolean | undefined {
    const name = host?.toLowerCase().replace(/\.$/, '');
    // A name that is an address needs no looking up.
    const known = address ?? (name !== undefined && isIP(name) !== 0 ? name : undefined);
    const isLoopback = known === undefined ? isLoopbackName(name) : isLoopbackAddress(known);
    const where = known ?? (isLoopback ? '127.0.0.1' : undefined);
    const ask = (entries: readonly Entry[]): boolean | undefined =>
      strongest(entries.map(entry => entry.hasPort(port) && entry.hasHost(name, where)));
    const isExcluded = ask(this.#excludes);
    if (isExcluded === true) return false;
    const candidates = isLoopback ? this.#includes.filter(({ isPrecise }) => isPrecise) : this.#includes;
    const isIncluded = this.#includes.length === 0 ? !isLoopback : ask(candidates);
    // What a name will be looked up to may be excluded, or loopback.
    return isIncluded === false || where !== undefined ? isIncluded : undefined;
  }
}

/** True when one is; otherwise undefined when one isn't known. */
function strongest(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

function compile({ isExclude, host, ports }: TargetPattern): Entry {
  const hasPort = (port: number): boolean =>
    ports === undefined || (port >= ports.first && port <= ports.last);
  switch (host.kind) {
    case 'any':
      return { isExclude, hasPort, hasHost: () => true, isPrecise: false };
    case 'name': {
      const hasHost = (name: string | undefined, address: string | undefined): boolean =>
        (name !== undefined && host.pattern.test(name)) ||
        (address !== undefined && host.pattern.test(address));
      return { isExclude, hasPort, hasHost, isPrecise: !host.isWild };
    }
    case 'block': {
      const list = new BlockList();
      list.addSubnet(host.address, host.prefix, host.family);
      const hasHost = (_name: string | undefined, address: string | undefined): boolean | undefined =>
        address === undefined ? undefined : list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
      const narrow = host.family === 'ipv4' ? 8 : 104;
      return {
        isExclude,
        hasPort,
        hasHost,
        isPrecise: isLoopbackAddress(host.address) && host.prefix >= narrow,
      };
    }
  }
}

/** 127.0.0.0/8 and ::1, also as an IPv4 address in IPv6 clothes. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}

/** RFC 6761: these names are loopback wherever they are asked for. Without a name Node connects to localhost. */
function isLoopbackName(name: string | undefined): boolean {
  return name === undefined || name === '' || name === 'localhost' || name.endsWith('.localhost');
}
