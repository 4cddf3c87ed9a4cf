/*
 * Run in the NAT's network, with a port to call from and an endpoint to call, again and again: makes the endpoint
 * speak on a connection it believes in. A SYN on an established connection is answered with an acknowledgement
 * whatever its sequence number (RFC 9293, 3.10.7.4); the NAT's rules give it the address of the other end.
 */
import { connect } from 'node:net';

/** The SYN is out after a tick; its answer never gets here, because the NAT refuses it. */
const LINGER_MS = 100;

function callOut(localPort: number, endpoint: string): void {
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '');
  const socket = connect({ host, port: Number(endpoint.slice(colon + 1)), localPort });
  socket.on('error', () => undefined); // the port may be another flow's by now
  setTimeout(() => socket.destroy(), LINGER_MS);
}

const words = process.argv.slice(2);
for (let at = 0; at + 1 < words.length; at += 2) callOut(Number(words[at]), words[at + 1] ?? '');
