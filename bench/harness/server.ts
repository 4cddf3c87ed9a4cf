import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { HEADER_BYTES, ACKNOWLEDGEMENT, readHeader, type Header } from './header.js';
import { answerRequests, jobFromArguments } from './child-side.js';
import type { ServerAddress, ServerJob, ServerRequest } from './messages.js';
import { pieceAt, Receipt } from './pattern.js';

/** The other end of every measurement, in a process of its own: a sink, a source or an echo by the client's header. */

/** Large, so that it is the reader that sets the pace. */
const SOURCE_PIECE = 1024 * 1024;

function serve(socket: net.Socket): void {
  socket.setNoDelay(true);
  // A client that is done is killed; what matters is checked before.
  socket.on('error', () => socket.destroy());
  let head = Buffer.alloc(0);
  const onHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    if (head.length < HEADER_BYTES) return;
    if (head.length > HEADER_BYTES) throw new Error('a client spoke before it was let in');
    socket.removeListener('data', onHead);
    const header = readHeader(head);
    modes[header.mode](socket, header);
    socket.write(ACKNOWLEDGEMENT);
  };
  socket.on('data', onHead);
}

const modes = {
  sink(socket: net.Socket, { sliceBytes, verified }: Header): void {
    const receipt = new Receipt(sliceBytes, verified);
    socket.on('data', chunk => {
      if (receipt.add(chunk)) socket.write(ACKNOWLEDGEMENT);
    });
  },
  echo(socket: net.Socket): void {
    socket.pipe(socket);
  },
  source(socket: net.Socket, { sliceBytes }: Header): void {
    let sent = sliceBytes;
    const pump = (): void => {
      while (sent < sliceBytes) {
        const piece = pieceAt(sent, Math.min(SOURCE_PIECE, sliceBytes - sent));
        sent += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('drain', pump);
    socket.on('data', () => {
      sent = 0;
      pump();
    });
  },
};

function selfSigned(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  try {
    execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } catch (error) {
    throw new Error('the TLS questions need the openssl program to make a certificate', { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function listen(job: ServerJob): Promise<ServerAddress> {
  const identity = job.tls ? selfSigned() : undefined;
  const server = identity === undefined ? net.createServer(serve) : tls.createServer(identity, serve);
  await new Promise<void>(resolve => server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { port: address.port, ...(identity === undefined ? {} : { ca: identity.cert.toString() }) };
}

const address = listen(jobFromArguments() as ServerJob);
answerRequests<ServerRequest>({
  address: () => address,
  cpu: () => Promise.resolve(process.cpuUsage()).then(({ user, system }) => (user + system) / 1000),
});
