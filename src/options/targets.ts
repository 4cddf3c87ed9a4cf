import { isIP } from 'node:net';

/** Which hosts one entry means. */
export type HostPattern =
  | { readonly kind: 'any' }
  /** `isWild`: it has a `*` or `?`. */
  | { readonly kind: 'name'; readonly pattern: RegExp; readonly isWild: boolean }
  | {
      readonly kind: 'block';
      readonly family: 'ipv4' | 'ipv6';
      readonly address: string;
      readonly prefix: number;
    };

/** One entry of `targets`: `db.internal:5432`, `*.cache:6379-6390`, `10.0.0.0/8`, `[2001:db8::/32]:443`, `!:3306`. */
export interface TargetPattern {
  readonly isExclude: boolean;
  readonly host: HostPattern;
  /** Both ends included; undefined: every port. */
  readonly ports: { readonly first: number; readonly last: number } | undefined;
}

const MOST_PORT = 65_535;
const ANY: HostPattern = { kind: 'any' };
/** `[v6]`, `[v6]:port`, `host`, `host:port`, `:port`. */
const SHAPE = /^(?:\[(?<v6>[^[\]]*)\]|(?<host>[^:[\]]*))(?::(?<ports>.*))?$/;
const NAME = /^[\p{L}\p{N}_.*?-]+$/u;

/** Reads one entry. @returns what is wrong with it, for a person, where something is */
export function parseTarget(entry: string): TargetPattern | string {
  const isExclude = entry.startsWith('!');
  const text = (isExclude ? entry.slice(1) : entry).trim();
  if (text === '') return `'${entry}' names no host and no port`;
  // More than one colon and no brackets: an IPv6 address or block, which then has no port.
  if (!text.includes('[') && text.indexOf(':') !== text.lastIndexOf(':')) {
    const host = parseBlock(text);
    return typeof host === 'string' ? host : { isExclude, host, ports: undefined };
  }
  const { v6, host: name, ports: portText } = SHAPE.exec(text)?.groups ?? {};
  if (v6 === undefined && name === undefined) return `'${entry}' is not HOST, HOST:PORT or :PORT`;
  const ports = portText === undefined ? undefined : parsePorts(portText);
  if (typeof ports === 'string') return ports;
  if (v6 === undefined && name === '') {
    return ports === undefined ? `'${entry}' names no host and no port` : { isExclude, host: ANY, ports };
  }
  const host = v6 === undefined ? parseHost(name ?? '') : parseBlock(v6);
  return typeof host === 'string' ? host : { isExclude, host, ports };
}

function parseHost(text: string): HostPattern | string {
  if (text === '*') return ANY;
  // Node's isIP compiles a large expression the first time: only what can be an address is worth that.
  if (/[/:]/.test(text)) return parseBlock(text);
  if (/^[\d.]+$/.test(text)) return isIP(text) === 4 ? parseBlock(text) : `'${text}' is not an IPv4 address`;
  if (!NAME.test(text)) return `'${text}' is not a host name, address or block`;
  return { kind: 'name', pattern: globOf(text), isWild: /[*?]/.test(text) };
}

/** `*` stands for any characters, dots too, and `?` for one. */
function globOf(text: string): RegExp {
  const source = text
    .toLowerCase()
    .replace(/[.]/g, String.raw`\.`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'u');
}

function parseBlock(text: string): HostPattern | string {
  const [address = '', prefixText, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) {
    return `'${text}' is not an address or a block such as 10.0.0.0/8`;
  }
  const longest = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? longest : wholeNumber(prefixText);
  if (prefix === undefined || prefix > longest) return `'${text}': the prefix must be 0 to ${longest}`;
  return { kind: 'block', family: version === 4 ? 'ipv4' : 'ipv6', address, prefix };
}

function parsePorts(text: string): { first: number; last: number } | string {
  const [firstText = '', lastText = firstText, ...rest] = text.split('-');
  const first = wholeNumber(firstText);
  const last = wholeNumber(lastText);
  if (first === undefined || last === undefined || rest.length > 0 || first < 1 || last > MOST_PORT) {
    return `'${text}' is not a port or a range of ports, 1 to ${MOST_PORT}`;
  }
  return first > last ? `'${text}': the range runs backwards` : { first, last };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
