import { createServer } from 'node:http';
import { useNatLab, type NatServer } from '../../support/nat.js';
import { useSshd } from '../../support/servers/sshd.js';
import { itTellsTheFates } from './compatibility.js';

describe('HTTP and SSH clients behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  // It says how long it keeps a connection, which clients heed: it must not be why they open another.
  const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => response.end('here'));
  let behind: NatServer | undefined;
  before(() => void (behind = nat.serve(socket => server.emit('connection', socket))));
  const url = (): string => `http://${nat.lab.serverAddress}:${behind?.port ?? 0}/`;
  const sshd = useSshd(nat);
  const hangUp = (): void => behind?.sockets.forEach(socket => socket.destroy());

  itTellsTheFates(
    nat,
    [
      { name: 'http.Agent', application: 'http-agent', url },
      { name: 'fetch', application: 'fetch', url },
      { name: 'undici', application: 'undici-agent', url },
      { name: 'undici RetryAgent', application: 'undici-retry-agent', url },
      { name: 'ssh2', application: 'ssh2-client', url: () => sshd.url },
    ],
    { between: hangUp },
  );
});
