import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import type * as Library from '../../src/index.js';
import type { Contender } from '../question.js';
import type { ServerAddress } from './messages.js';

/** Not imported statically: a bare process must not carry the library. */
async function library(): Promise<typeof Library> {
  return import('../../src/index.js');
}

/** What `net.connect` or `tls.connect` is given, the same for all contenders. Drivers turn Nagle's algorithm off. */
function connectOptions({ port, ca }: ServerAddress): net.TcpNetConnectOpts & tls.ConnectionOptions {
  const base = { host: '127.0.0.1', port, noDelay: true };
  return ca === undefined ? base : { ...base, ca, servername: 'localhost' };
}

/** A new bare socket on its way to the server. */
export function openBare(address: ServerAddress): net.Socket {
  const options = connectOptions(address);
  return address.ca === undefined ? net.connect(options) : tls.connect(options);
}

/** A new socket of a contender on its way to the server. */
export async function opener(contender: Contender): Promise<(address: ServerAddress) => Duplex> {
  switch (contender) {
    case 'hardened': {
      const { harden } = await library();
      return address => {
        const socket = openBare(address);
        harden(socket);
        return socket;
      };
    }
    case 'reconnecting': {
      const { createReconnectingSocket } = await library();
      return address =>
        createReconnectingSocket({ ...connectOptions(address), tls: address.ca !== undefined });
    }
    case 'bare':
    case 'corked':
    case 'set-keepalive':
    case 'net-keepalive':
      return openBare;
  }
}
