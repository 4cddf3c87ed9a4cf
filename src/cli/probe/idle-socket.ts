import type { Socket } from 'node:net';
import { systemClock } from '../../clock.js';
import { tcpHandle } from '../../kernel/handle.js';
import type { Kernel } from '../../kernel/kernel.js';
import { TCP_CLOSE } from '../../kernel/tcp-info.js';

/** How a connection that nobody used came to its end. */
export interface IdleEnd {
  readonly how: 'closed' | 'cut' | 'error';
  /** How long it had been silent, in milliseconds. */
  readonly silence: number;
  /** The system's code, for `error`. */
  readonly code: string | undefined;
}

/** What a server says as it closes ("408 Request Timeout", "idle, bye") belongs to the closing, not to a conversation. */
const LAST_WORDS_MS = 1000;
const RESETS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Watches a connected socket that is left alone: how long it has been silent, and how it ends. */
export class IdleSocket {
  readonly socket: Socket;
  /** Resolves when the socket ends by the other side's doing. */
  readonly ended: Promise<IdleEnd>;
  readonly #kernel: Kernel;
  #quietSince: number;
  #quietBefore: number;
  #end: IdleEnd | undefined;

  constructor(socket: Socket, kernel: Kernel) {
    this.socket = socket;
    this.#kernel = kernel;
    this.#quietSince = systemClock.now();
    this.#quietBefore = this.#quietSince;
    socket.on('data', () => {
      const now = systemClock.now();
      // A burst of several chunks interrupts one silence only.
      if (now - this.#quietSince > LAST_WORDS_MS) this.#quietBefore = this.#quietSince;
      this.#quietSince = now;
    });
    this.ended = new Promise(resolve => {
      const end = (how: IdleEnd['how'], code?: string): void => {
        this.#end ??= { how, silence: this.#silenceAtEnd(), code };
        resolve(this.#end);
      };
      // Node 20 and 22 report a reset as an 'end' where the event loop was late; the kernel knows better.
      socket.on('end', () => end(this.#info()?.state === TCP_CLOSE ? 'cut' : 'closed'));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const isReset = error.code !== undefined && RESETS.has(error.code);
        end(isReset ? 'cut' : 'error', error.code ?? error.message);
      });
    });
  }

  /** Set once the other side has ended the connection. */
  get end(): IdleEnd | undefined {
    return this.#end;
  }

  /** Milliseconds since anything was heard: the kernel's word where it has one. */
  get silence(): number {
    const info = this.#info();
    const measured = systemClock.now() - this.#quietSince;
    return info === undefined ? measured : Math.min(info.lastAckRecv, info.lastDataRecv);
  }

  #silenceAtEnd(): number {
    const now = systemClock.now();
    const spokeJustNow = now - this.#quietSince < LAST_WORDS_MS;
    return now - (spokeJustNow ? this.#quietBefore : this.#quietSince);
  }

  #info(): ReturnType<Kernel['tcpInfo']> {
    const handle = tcpHandle(this.socket);
    return handle === undefined ? undefined : this.#kernel.tcpInfo(handle);
  }
}
