/** A mailbox held in IDLE that misses no message when the NAT has forgotten its connection. */
import { ImapFlow } from 'imapflow';
import { superviseMailbox } from 'holdfast/imapflow';
import { startDovecot } from '../../test/support/servers/dovecot.js';
import { findLab } from '../find-lab.js';

const lab = await findLab();
if (typeof lab === 'number') process.exit(lab);
if (lab.backend !== 'kernel') throw new Error(`this example needs the kernel NAT: ${lab.reason ?? ''}`);
const server = await startDovecot(lab);
const config = {
  host: lab.serverAddress,
  port: server.port,
  secure: false,
  doSTARTTLS: false,
  auth: { user: 'anna', pass: server.password },
  logger: false,
} as const;

const inbox = superviseMailbox({
  // Runs for the first client and for each one after it.
  open: () => new ImapFlow(config),
  query: { envelope: true },
  // Later than the NAT's 3 s, so that it does forget. With the defaults it would not come to that.
  keepalive: { idle: '1h' },
  heartbeat: { interval: '4s' },
});
inbox.session.on('lost', ({ verdict }) => console.log(`lost: ${verdict?.cause ?? 'unknown'}`));
inbox.session.on('resumed', ({ generation, downtime }) => {
  console.log(`resumed: client ${generation} after ${Math.round(downtime)} ms`);
});

async function send(subject: string): Promise<void> {
  const client = new ImapFlow(config);
  await client.connect();
  await client.append('INBOX', `From: lab@example.com\r\nSubject: ${subject}\r\n\r\n`);
  await client.logout();
}

/** Between the NAT's 3 s and the heartbeat's 4 s: the mailbox's connection is gone, and nobody knows. */
const IN_THE_GAP_MS = 3500;

await inbox.session.run(() => send('before'));
for await (const { uid, message } of inbox) {
  const subject = message.envelope?.subject ?? '';
  console.log(`arrived: ${uid} ${subject}`);
  if (subject === 'before') {
    console.log('silence ...');
    setTimeout(() => void send('in the gap').then(() => send('after')), IN_THE_GAP_MS);
  }
  if (subject === 'after') break; // ends the session
}

await server.stop();
await lab.close();
