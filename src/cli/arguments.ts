import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { choice, duration, integer, type Kind } from '../options/kinds.js';
import { renderValue } from '../options/render-value.js';

/** Where to connect. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS_RANGE = 'host:port, the port 1 to 65535, an IPv6 address in brackets, such as [::1]:5432';

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `host:port` or `[ipv6]:port`.
 * @throws InvalidArgumentError naming `key`, the value and what is allowed
 */
export function parseAddress(text: string, key = 'HOST:PORT'): Address {
  const match = /^(?:\[([^\]]*)\]|([^:[\]\s/@]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    // What stands before an @ may be a password.
    throw refused(key, text.replace(/^.*@/s, '***@'), ADDRESS_RANGE, addressHint(text));
  }
  const [, inner, name] = match;
  if (name !== undefined) return { host: name, port };
  // A zone (fe80::1%eth0) is the system's business.
  if (inner === undefined || !isIPv6(inner)) throw refused(key, text, ADDRESS_RANGE, undefined);
  return { host: inner, port };
}

function addressHint(text: string): string | undefined {
  const bare = /^(.*):(\d{1,5})$/.exec(text);
  if (bare?.[1] !== undefined && isIPv6(bare[1])) return `write [${bare[1]}]:${bare[2] ?? ''}`;
  if (text.includes('://')) return 'leave out the scheme and what follows the port';
  return /^[^:\s]+$/.test(text) ? 'the port is missing' : undefined;
}

/** A reader for commander of a duration within limits, in milliseconds. */
export function durationArgument(
  key: string,
  limits: { min: number; max: number },
): (text: string) => number {
  return reader(key, duration(limits));
}

export function integerArgument(key: string, limits: { min: number; max: number }): (text: string) => number {
  return reader(key, integer(limits));
}

export function choiceArgument<const W extends string>(
  key: string,
  words: readonly W[],
): (text: string) => W {
  return reader(key, choice(words));
}

function reader<T>(key: string, kind: Kind<T>): (text: string) => T {
  return text => {
    const reading = kind.readText(text);
    if (reading.accepted) return reading.value;
    throw refused(key, text, kind.range, reading.hint);
  };
}

/** One line: key, value, what is allowed, hint; the wording of the library's own option errors. */
export function refused(
  key: string,
  value: string,
  range: string,
  hint: string | undefined,
): InvalidArgumentError {
  const help = hint === undefined ? '' : `; ${hint}`;
  return new InvalidArgumentError(`${key} = ${renderValue(value)}; allowed: ${range}${help}`);
}
