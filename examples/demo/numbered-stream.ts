import { once } from 'node:events';
import { createReconnectingSocket, type ReconnectingSocket, type ResumeSession } from 'holdfast';
import { withoutPong, type Place } from './actors.js';

/** Sends numbered lines over a stream that outlives its connections. */
export class NumberedStream {
  readonly socket: ReconnectingSocket;
  /** How far the stream's bytes went after each line: tells which lines were handed to a connection that died. */
  readonly #ends: number[] = [];
  #bytes = 0;

  private constructor(socket: (resume: (session: ResumeSession) => Promise<void>) => ReconnectingSocket) {
    this.socket = socket(session => this.#resume(session));
  }

  static async open({ host, port, timeline, backend }: Place): Promise<NumberedStream> {
    const stream = new NumberedStream(resume =>
      createReconnectingSocket({
        host,
        port,
        resume,
        keepalive: { idle: '1h' },
        learn: false,
        probeAfterIdle: '1s',
        ...(backend === 'kernel'
          ? {}
          : {
              // A relay acknowledges what it then throws away: only a beat without an answer shows it.
              heartbeat: { interval: '3500ms', timeout: '1s', send: () => 'ping\n', receive: withoutPong },
              reconnect: { on: 'any' },
            }),
      }),
    );
    const { socket } = stream;
    socket.on('suspended', ({ verdict }) => {
      timeline.say('stream', `connection lost: ${verdict.cause}, ${verdict.delivery}`, 'note');
    });
    socket.on('resumed', ({ generation, downtime }) => {
      timeline.say('stream', `resumed on connection ${generation} after ${Math.round(downtime)} ms`, 'good');
    });
    socket.resume(); // the answers are not looked at
    await once(socket, 'connect');
    return stream;
  }

  get sent(): number {
    return this.#ends.length;
  }

  send(count: number): void {
    for (let line = 0; line < count; line++) {
      const text = `stream ${this.#ends.length + 1}\n`;
      this.#bytes += text.length;
      this.#ends.push(this.#bytes);
      this.socket.write(text);
    }
  }

  /** The session's own protocol: asks what the server has, and says again what got lost on the way. */
  async #resume({ socket, uncertain }: ResumeSession): Promise<void> {
    socket.write('resume stream\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    const has = Number(answer.toString().replace('have ', ''));
    this.#ends.forEach((end, index) => {
      if (index >= has && end <= uncertain.end) socket.write(`stream ${index + 1}\n`);
    });
  }
}
