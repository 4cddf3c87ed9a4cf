/** A stream that goes on over a new connection when the NAT has forgotten the old one. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createReconnectingSocket } from 'holdfast';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
let connections = 0;
const server = lab.inside('server', () =>
  createServer(socket => {
    const connection = ++connections;
    socket.on('error', () => undefined);
    createInterface({ input: socket }).on('line', line => {
      console.log(`server, connection ${connection}: ${line}`);
      socket.write(`got ${line}\n`);
    });
  }).listen(0),
);
if (!server.listening) await once(server, 'listening');
const { host, port } = await lab.route((server.address() as AddressInfo).port);

const stream = createReconnectingSocket({
  host,
  port,
  keepalive: { idle: '1h' }, // so that the NAT does forget it
  probeAfterIdle: '1s',
  // Speaks first on each new connection: log in, subscribe, say where you were.
  resume: async ({ socket, generation }) => {
    socket.write(`hello again, this is connection ${generation}\n`);
    await once(socket, 'data');
  },
});
stream.on('suspended', ({ verdict }) => console.log(`lost: ${verdict.cause}, ${verdict.delivery}`));
stream.on('resumed', ({ downtime }) => console.log(`resumed after ${Math.round(downtime)} ms`));
stream.on('data', chunk => console.log(`client: ${chunk.toString().trimEnd()}`));
await once(stream, 'connect');

stream.write('one\n');
await once(stream, 'data');
console.log('silence ...');
await new Promise(resolve => setTimeout(resolve, 4000));
stream.write('two\n');
await once(stream, 'data');

stream.end();
await once(stream, 'close');
await lab.close();
process.exit(); // the server's end of the forgotten connection doesn't know, and would wait for ever
