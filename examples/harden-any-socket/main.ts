/** Hardens a plain `net.Socket` and shows what the kernel holds, whether the path lives, and what a death was. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { harden, verdictOf } from 'holdfast';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
const server = lab.inside('server', () =>
  createServer(socket => socket.pipe(socket).on('error', () => undefined)).listen(0),
);
if (!server.listening) await once(server, 'listening');
const { host, port } = await lab.route((server.address() as AddressInfo).port);

// Any socket will do, connected or not, your own or a library's.
const socket = connect(port, host);
const guard = harden(socket, { keepalive: { idle: '1h' }, probeAfterIdle: '1s' });
await once(socket, 'connect');

for (const [name, report] of Object.entries(guard.settings ?? {})) {
  console.log(`kernel: ${name} = ${JSON.stringify((report as { effective?: unknown }).effective)}`);
}
await new Promise(resolve => setTimeout(resolve, 1100)); // a probe needs a second of silence
const { alive, rtt } = await guard.probe();
console.log(`probe: ${alive ? `alive, ${(rtt ?? 0).toFixed(1)} ms, no byte sent` : 'dead'}`);

await lab.forget(); // the NAT reboots
await new Promise(resolve => setTimeout(resolve, 1100));
socket.write('doomed');
const [error] = (await once(socket, 'error')) as [Error];
const verdict = verdictOf(error);
console.log(`${error.message}: ${verdict?.cause ?? '?'}, ${verdict?.delivery ?? '?'}`);
for (const { fact, detail } of verdict?.evidence ?? []) console.log(`  ${fact}: ${detail}`);

await lab.close();
process.exit(); // the server's end of the forgotten connection doesn't know, and would wait for ever
