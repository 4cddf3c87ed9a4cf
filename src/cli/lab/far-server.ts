import { connect, Server, type Socket } from 'node:net';
import type { NatLab } from '../../lab/index.js';
import { formatAddress, type Address } from '../arguments.js';
import { CliError, exitCodes } from '../exit-codes.js';

/**
 * Listens on a port of the server side and hands the listening socket to the parent, in whose network the real server
 * is. That needs no right to change networks in this process, which the lab of an ordinary user has not.
 */
const LISTENER = `
const server = require('node:net').createServer();
server.on('error', error => { console.error(error.message); process.exit(1); });
server.listen(Number(process.argv[1]), () => process.send('listening', server, () => process.exit(0)));
`;

export interface FarServer {
  /** Stops listening and ends every connection. */
  close(): void;
}

/** Makes the server at `target`, in this process's network, reachable on the lab's server side, on the same port. */
export async function serveBehindLab(lab: NatLab, target: Address): Promise<FarServer> {
  const server = await listenBehindLab(lab, target);
  const sockets = new Set<Socket>();
  // A listening socket that came by mail has lost this option.
  Object.assign(server, { allowHalfOpen: true });
  server.on('connection', near => {
    const far = connect({ ...target, allowHalfOpen: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    relay(near, far);
  });
  return {
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function listenBehindLab(lab: NatLab, target: Address): Promise<Server> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = lab.spawn('server', process.execPath, ['-e', LISTENER, String(target.port)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env,
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  return new Promise<Server>((resolve, reject) => {
    child.once('message', (_message, handle) => {
      if (handle instanceof Server) resolve(handle);
    });
    child.once('error', reject);
    child.once('close', () => {
      const message = `can't listen for ${formatAddress(target)} on the server side: ${complaint.trim()}`;
      reject(new CliError(exitCodes.labFailed, message));
    });
  });
}

function relay(near: Socket, far: Socket): void {
  near.pipe(far);
  far.pipe(near);
  // A reset is passed on as a reset: each side is to see what it would see without the relay.
  near.on('error', () => far.resetAndDestroy());
  far.on('error', () => near.resetAndDestroy());
}
