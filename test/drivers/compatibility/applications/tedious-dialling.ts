import { Connection } from 'tedious';
import { readKernel } from '../../../support/kernel-reader.js';
import { url } from '../application.js';

/* Dials, and upon a word on standard input says what the kernel holds for the driver's socket. */

const connection = new Connection({
  server: url.hostname,
  options: { port: Number(url.port), encrypt: false, connectTimeout: 3_600_000 },
  authentication: { type: 'default', options: { userName: 'lab', password: 'lab' } },
});
connection.on('error', () => undefined);
connection.connect();
process.stdin.once('data', () => {
  const { socket } = connection;
  if (socket === undefined) throw new Error('the driver has no socket');
  console.log(JSON.stringify({ ...readKernel(socket), localPort: socket.localPort }));
});
process.stdin.once('end', () => process.exit(0));
