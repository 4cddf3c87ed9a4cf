import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { guardOf } from '../guard/cover.js';
import type { Holdfast } from '../holdfast.js';
import { hostName, peerName, tcpHandle } from '../kernel/handle.js';
import { sharedInstance } from '../shared.js';
import type { TargetMatcher } from './target-matcher.js';

/** What a TLS socket is made by; `wrap` is the raw socket where there is one with a handle. */
type Init = (this: TLSSocket, socket: unknown, wrap: unknown) => unknown;

/** Hardens sockets for `holdfast/register`. Loaded with the first socket that is to be hardened, not before. */
export class Hardener {
  readonly #holdfast: Holdfast;
  readonly #targets: TargetMatcher;
  readonly #onConnect: (this: Socket) => void;

  constructor(targets: TargetMatcher) {
    this.#holdfast = sharedInstance();
    this.#targets = targets;
    const { decide } = this;
    this.#onConnect = function onConnect(this: Socket) {
      decide(this);
    };
    this.#followUpgrades();
  }

  /** A socket connects, or is connected, to a peer that is one of the targets or may turn out to be. */
  harden(socket: Socket): void {
    const known = guardOf(socket);
    if (known !== undefined && !known.isReleased) {
      // The application hardened it itself: its options stay. One that died is being used again.
      if (known.verdict !== undefined) known.configure(known.options);
    } else this.#holdfast.harden(socket);
    if (isConnected(socket)) this.decide(socket);
    else socket.prependOnceListener('connect', this.#onConnect);
  }

  /** The address is known now. */
  readonly decide = (socket: Socket): void => {
    const handle = tcpHandle(socket);
    const peer = handle === undefined ? undefined : peerName(handle);
    if (peer === undefined) return;
    if (this.#targets.matches({ ...peer, host: hostName(socket) }) !== true) guardOf(socket)?.release();
  };

  /**
   * STARTTLS: a TLS socket over a connected raw one reads and writes past it, so it is hardened too. `_init` is Node's
   * own seam for that, called by the constructor in every version; where it is missing the raw socket stays hardened,
   * which keeps its kernel settings.
   */
  #followUpgrades(): void {
    const prototype = TLSSocket.prototype as unknown as { _init?: Init };
    const init = prototype._init;
    if (typeof init !== 'function') return;
    const harden = (socket: TLSSocket): void => this.harden(socket);
    prototype._init = function _init(socket, wrap) {
      const result = init.call(this, socket, wrap);
      if (wrap instanceof Socket && wrap === socket && isGuarded(wrap)) harden(this);
      return result;
    };
  }
}

function isConnected(socket: Socket): boolean {
  return !socket.connecting && tcpHandle(socket) !== undefined;
}

function isGuarded(socket: Socket): boolean {
  const guard = guardOf(socket);
  return guard !== undefined && !guard.isReleased && guard.verdict === undefined;
}
