import { useNatLab } from '../../support/nat.js';
import { useDovecot } from '../../support/servers/dovecot-fixture.js';
import { useSmtp } from '../../support/servers/smtp.js';
import { itTellsTheFates } from './compatibility.js';

describe('mail drivers behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const dovecot = useDovecot(nat);
  const smtp = useSmtp(nat);
  // The server limits the connections of each user.
  const imapUrl = (user: string) => (): string =>
    `imap://${user}:${dovecot.server.password}@${nat.lab.serverAddress}:${dovecot.server.port}/`;

  itTellsTheFates(nat, [
    { name: 'imapflow', application: 'imapflow-client', wrapped: 'imapflow-client', url: imapUrl('user') },
    { name: 'imap', application: 'imap-client', url: imapUrl('reader') },
    { name: "imap, requests that heed 'close'", application: 'imap-closing', url: imapUrl('watcher') },
    { name: 'nodemailer pool', application: 'nodemailer-pool', url: () => smtp.url },
  ]);
});
