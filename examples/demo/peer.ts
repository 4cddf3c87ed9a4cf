import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { NatLab } from 'holdfast/lab';

/**
 * The server beyond the NAT. It speaks lines: `ping` is answered with `pong`, `resume NAME` with `have N`, the number of
 * NAME's lines so far, and anything else is NAME's next line, answered with `ok`.
 */
export class Peer {
  /** Everything received, in order, by the name of who said it. */
  readonly heard = new Map<string, string[]>();
  /** The first line of each connection. */
  readonly openings: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(lab: NatLab) {
    const server = createServer(socket => this.#serve(socket));
    // Without a host, so that the socket is made at once: on the server side.
    this.#server = lab.inside('server', () => server.listen(0));
  }

  static async start(lab: NatLab): Promise<{ peer: Peer; host: string; port: number }> {
    const peer = new Peer(lab);
    if (!peer.#server.listening) await once(peer.#server, 'listening');
    const route = await lab.route((peer.#server.address() as AddressInfo).port);
    return { peer, ...route };
  }

  linesOf(name: string): readonly string[] {
    return (this.heard.get(name) ?? []).filter(line => !line.startsWith('resume '));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // resets are what this is about
    socket.on('close', () => this.#sockets.delete(socket));
    const lines = createInterface({ input: socket });
    lines.once('line', line => this.openings.push(line));
    lines.on('line', line => {
      if (line === 'ping') return void socket.write('pong\n');
      const [first = '', second = ''] = line.split(' ');
      const name = first === 'resume' ? second : first;
      const heard = this.heard.get(name) ?? [];
      this.heard.set(name, [...heard, line]);
      socket.write(first === 'resume' ? `have ${this.linesOf(name).length}\n` : 'ok\n');
    });
  }
}
