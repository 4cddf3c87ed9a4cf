import type { Socket } from 'node:net';
import { endpoint } from './conntrack-table.js';
import type { Flow, Side } from './nat-lab.js';
import type { EffectiveSettings } from './options.js';

type FlowState =
  /** The NAT knows the flow until `expiresAt` (performance.now); the timer fires at `timerAt`, or a little later. */
  | { readonly kind: 'known'; expiresAt: number; timerAt: number; timer: NodeJS.Timeout }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'closed' };

/** What a {@link RelayFlow} asks of its relay and tells it. */
export interface RelayPort {
  settings(): EffectiveSettings;
  flowForgotten(flow: Flow): void;
  packetRefused(kind: 'reset' | 'dropped', from: Side): void;
  flowClosed(): void;
}

/**
 * One connection through the emulated NAT: a socket to the client and one to the server, payload passed between
 * them until the flow is forgotten. Neither socket holds the process open.
 */
export class RelayFlow {
  readonly #sockets: Readonly<Record<Side, Socket>>;
  readonly #port: RelayPort;
  #state: FlowState;

  /** Both sockets must allow half-open; `server` may still be connecting. */
  constructor(client: Socket, server: Socket, port: RelayPort) {
    this.#sockets = { client, server };
    this.#port = port;
    const expiresAt = performance.now() + port.settings().idleTimeout;
    this.#state = { kind: 'known', expiresAt, timerAt: expiresAt, timer: this.#wakeAt(expiresAt) };
    this.#relay('client', 'server');
    this.#relay('server', 'client');
  }

  /** The flow as the NAT's table shows it; undefined once it is forgotten or closed. */
  describe(): Flow | undefined {
    return this.#state.kind === 'known' ? this.#flow(this.#state.expiresAt) : undefined;
  }

  /** Forgets the flow now. Does nothing when that has happened or the flow is closed. */
  forget(): void {
    if (this.#state.kind !== 'known') return;
    const flow = this.#flow(this.#state.expiresAt);
    clearTimeout(this.#state.timer);
    this.#state = { kind: 'forgotten' };
    const both = Object.values(this.#sockets);
    // A side that was held back must be read again: from now on what it sends is refused.
    for (const socket of both) socket.resume();
    const atExpiry = this.#port.settings().expiry === 'reset-at-expiry';
    if (atExpiry) for (const socket of both) socket.resetAndDestroy();
    this.#port.flowForgotten(flow);
    if (!atExpiry) return;
    this.#port.packetRefused('reset', 'client');
    this.#port.packetRefused('reset', 'server');
  }

  /** Resets both sides. */
  destroy(): void {
    if (this.#state.kind === 'known') clearTimeout(this.#state.timer);
    this.#state = { kind: 'closed' };
    for (const socket of Object.values(this.#sockets)) socket.resetAndDestroy();
  }

  #relay(side: Side, otherSide: Side): void {
    const socket = this.#sockets[side];
    const other = this.#sockets[otherSide];
    socket.unref();
    socket.on('data', chunk => {
      if (this.#state.kind !== 'known') return this.#refuse(side);
      this.#touch();
      if (!other.write(chunk)) socket.pause();
    });
    other.on('drain', () => socket.resume());
    socket.on('end', () => {
      if (this.#state.kind !== 'known') return this.#refuse(side);
      this.#touch();
      other.end();
    });
    socket.on('error', () => undefined); // 'close' follows and says that there was one
    socket.on('close', hadError => {
      // A reset passes through a NAT that knows the flow. A clean close needs nothing: both ends were relayed.
      if (hadError && this.#state.kind === 'known') other.resetAndDestroy();
      if (other.destroyed) this.#close();
    });
  }

  #touch(): void {
    if (this.#state.kind !== 'known') return;
    this.#state.expiresAt = performance.now() + this.#port.settings().idleTimeout;
    // One timer for many packets: it moves only when `configure` shortened the timeout.
    if (this.#state.expiresAt < this.#state.timerAt) this.#rearm();
  }

  #rearm(): void {
    if (this.#state.kind !== 'known') return;
    clearTimeout(this.#state.timer);
    this.#state.timerAt = this.#state.expiresAt;
    this.#state.timer = this.#wakeAt(this.#state.expiresAt);
  }

  #wakeAt(time: number): NodeJS.Timeout {
    // After the poll phase, so packets that waited while the event loop was busy count first.
    const check = (): void => void setImmediate(() => this.#checkIdle());
    return setTimeout(check, Math.max(1, Math.ceil(time - performance.now()))).unref();
  }

  #checkIdle(): void {
    if (this.#state.kind !== 'known') return;
    // Bytes waiting for a slow reader: on the wire that is a zero window and its probes, so not silence.
    if (Object.values(this.#sockets).some(socket => socket.writableLength > 0)) this.#touch();
    if (performance.now() < this.#state.expiresAt) this.#rearm();
    else this.forget();
  }

  /** The answer to payload or a FIN of a forgotten flow. The other side learns of it by its own next packet. */
  #refuse(side: Side): void {
    if (this.#state.kind === 'closed') return;
    const kind = this.#port.settings().expiry === 'drop' ? 'dropped' : 'reset';
    if (kind === 'reset') this.#sockets[side].resetAndDestroy();
    this.#port.packetRefused(kind, side);
  }

  #close(): void {
    if (this.#state.kind === 'closed') return;
    if (this.#state.kind === 'known') clearTimeout(this.#state.timer);
    this.#state = { kind: 'closed' };
    this.#port.flowClosed();
  }

  #flow(expiresAt: number): Flow {
    const { client, server } = this.#sockets;
    return {
      client: endpoint(client.remoteAddress ?? '', client.remotePort ?? ''),
      server: endpoint(client.localAddress ?? '', client.localPort ?? ''),
      translated: server.connecting ? undefined : endpoint(server.localAddress ?? '', server.localPort ?? ''),
      state: stateName(client, server),
      expiresIn: Math.max(0, Math.round(expiresAt - performance.now())),
    };
  }
}

/** The nearest of conntrack's names. */
function stateName(client: Socket, server: Socket): string {
  if (server.connecting) return 'SYN_SENT';
  return client.readableEnded || server.readableEnded ? 'FIN_WAIT' : 'ESTABLISHED';
}
