/** Where a `socket.connect(...)` call goes. */
export interface Destination {
  readonly host: string | undefined;
  readonly port: number;
}

/**
 * Reads the arguments of `net.Socket.prototype.connect` in all their forms: an options object, `port, host`, a path,
 * and the list that `net.connect` has already made of them.
 *
 * @returns undefined for a Unix socket, and for arguments that connect will refuse
 */
export function destinationOf(args: readonly unknown[]): Destination | undefined {
  const [first, second] = args;
  const given: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof given !== 'object' || given === null) {
    const port = portOf(given);
    return port === undefined ? undefined : { host: textOf(second), port };
  }
  const { host, port: portGiven, path } = given as { host?: unknown; port?: unknown; path?: unknown };
  const port = portOf(portGiven);
  return port === undefined || Boolean(path) ? undefined : { host: textOf(host), port };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** As Node takes it: a number, or its text. Other text is a path. */
function portOf(value: unknown): number | undefined {
  const port = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined;
}
