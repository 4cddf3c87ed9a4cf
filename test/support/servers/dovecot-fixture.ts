import type { ImapFlow, ImapFlowOptions } from 'imapflow';
import { chown, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { until, type NatFixture } from '../nat.js';
import { requireDovecot, startDovecot, type DovecotServer } from './dovecot.js';
import { useServer } from './use-server.js';

export interface DovecotFixture {
  readonly server: DovecotServer;
  /** For `new ImapFlow`, dialling through the NAT. Each call is a user of its own, with an empty mailbox. */
  config(how?: 'plain' | 'TLS' | 'STARTTLS'): ImapFlowOptions & { readonly auth: { readonly user: string } };
  /** Puts a message into a user's mailbox, on the server itself: no connection is involved. */
  deliver(user: string, subject: string): Promise<void>;
  /** How many messages a user's mailbox holds, as its files tell. */
  count(user: string): Promise<number>;
  /** Resolves once the NAT has forgotten the flow of a client. */
  forgets(client: ImapFlow): Promise<void>;
}

/** For a `describe` block behind `useNatLab`: its tests have an IMAP server beyond the NAT. */
export function useDovecot(nat: NatFixture): DovecotFixture {
  const server = useServer(requireDovecot, () => startDovecot(nat.lab));
  let users = 0;
  let messages = 0;

  const fixture: DovecotFixture = {
    get server() {
      return server();
    },
    config(how = 'plain') {
      const { port, tlsPort, password, ca } = fixture.server;
      return {
        host: nat.lab.serverAddress,
        port: how === 'TLS' ? tlsPort : port,
        secure: how === 'TLS',
        doSTARTTLS: how === 'STARTTLS',
        tls: { ca },
        auth: { user: `user${++users}`, pass: password },
        logger: false,
      };
    },
    async deliver(user, subject) {
      const { mail, owner } = fixture.server;
      const folder = join(mail, user);
      const name = `1700000000.M${++messages}.lab`;
      for (const part of ['', 'tmp', 'new', 'cur']) {
        const path = join(folder, part);
        await mkdir(path, { recursive: true });
        if (owner !== undefined) await chown(path, owner.uid, owner.gid);
      }
      const file = join(folder, 'tmp', name);
      await writeFile(file, `From: lab@example.com\r\nSubject: ${subject}\r\n\r\n${subject}\r\n`);
      if (owner !== undefined) await chown(file, owner.uid, owner.gid);
      await rename(file, join(folder, 'new', name));
    },
    async count(user) {
      const folder = join(fixture.server.mail, user);
      const files = await Promise.all(['new', 'cur'].map(part => readdir(join(folder, part))));
      return files.flat().length;
    },
    async forgets(client) {
      const own = `:${socketOf(client).localPort ?? 0}`;
      await until('the NAT forgets the flow', async () =>
        (await nat.lab.flows()).every(flow => flow.state !== 'ESTABLISHED' || !flow.client.endsWith(own)),
      );
    },
  };
  return fixture;
}

/** The driver's types leave it out. */
export function socketOf(client: ImapFlow): Socket {
  return (client as unknown as { socket: Socket }).socket;
}
