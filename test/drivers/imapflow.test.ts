import { expect } from 'chai';
import { ImapFlow } from 'imapflow';
import { harden } from '../../src/drivers/imapflow.js';
import { verdictOf } from '../../src/index.js';
import { until, useNatLab } from '../support/nat.js';
import { socketOf, useDovecot } from '../support/servers/dovecot-fixture.js';

/** Nothing but the gate can help: no keepalive and no heartbeat within a test's life, and nothing learned. */
const GATE_ONLY = {
  keepalive: { idle: '1h' },
  heartbeat: false,
  probeAfterIdle: '1s',
  learn: false,
} as const;
const KEEPALIVE_ONLY = { keepalive: { idle: '1s', interval: '1s' }, heartbeat: false } as const;

describe('imapflow behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const imap = useDovecot(nat);

  /** Connects a client and leaves it in IDLE, where it learns how many messages there are. */
  async function idling(client: ImapFlow): Promise<{ readonly counts: readonly number[] }> {
    const counts: number[] = [];
    client.on('exists', ({ count }) => counts.push(count));
    await client.connect();
    await client.mailboxOpen('INBOX');
    client.idle().catch(() => undefined);
    await until('it is in IDLE', () => client.idling);
    return { counts };
  }

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    describe(`and then answers with ${expiry === 'drop' ? 'silence' : 'a reset'}`, () => {
      before(() => nat.lab.configure({ expiry }));

      it('takes the bare client in IDLE, and none of the hardened ones: they hear of the message', async () => {
        const bare = new ImapFlow(imap.config());
        bare.on('error', () => undefined); // the bare driver would end the process
        const hardened = (['plain', 'TLS', 'STARTTLS'] as const).map(how => {
          const config = imap.config(how);
          return { user: config.auth.user, client: harden(new ImapFlow(config), KEEPALIVE_ONLY) };
        });
        const unaware = await idling(bare);
        // The driver's own keepalive, after 5 s, is too late here. All it can find is that the flow is gone.
        const aware = await Promise.all(hardened.map(({ client }) => idling(client)));
        expect(hardened.map(({ client }) => client.secureConnection)).to.deep.equal([false, true, true]);
        await imap.forgets(bare);

        await imap.deliver(bare.options.auth?.user ?? '', 'for nobody');
        for (const { user } of hardened) await imap.deliver(user, 'after the silence');
        await until('each hardened client hears of its message', () =>
          aware.every(({ counts }) => counts.at(-1) === 1),
        );
        expect(await imap.count(bare.options.auth?.user ?? '')).to.equal(1);
        expect(unaware.counts).to.deep.equal([]);
        for (const { client } of hardened) await client.logout();
        bare.close();
      });

      it('lets no APPEND out into a forgotten flow, and says so', async () => {
        const config = imap.config();
        const client = harden(new ImapFlow(config), GATE_ONLY);
        await idling(client);
        await imap.forgets(client);

        const error = await failure(client.append('INBOX', 'Subject: doomed\r\n\r\n'));
        expect(verdictOf(error)).to.include({
          cause: expiry === 'drop' ? 'path-timeout' : 'nat-eviction',
          delivery: 'never-sent',
        });
        // The bare driver's noop() reports success here.
        expect(verdictOf(await failure(client.noop()))).to.include({ delivery: 'never-sent' });
        expect(await imap.count(config.auth.user)).to.equal(0);
      });
    });
  }

  it('is kept awake by heartbeats, which leave it in IDLE, and by keepalive set after it was connected', async () => {
    await nat.lab.configure({ expiry: 'reset-on-packet' });
    const beating = {
      keepalive: { idle: '1h' },
      learn: false,
      heartbeat: { interval: '1s', timeout: '10s' },
    } as const;
    const configs = [imap.config(), imap.config()] as const;
    const clients = [harden(new ImapFlow(configs[0]), beating), new ImapFlow(configs[1])] as const;
    const aware = await Promise.all(clients.map(idling));
    expect(harden(clients[1], KEEPALIVE_ONLY)).to.equal(clients[1]);
    const ports = clients.map(client => socketOf(client).localPort);
    const bare = new ImapFlow(imap.config());
    bare.on('error', () => undefined);
    await idling(bare);
    await imap.forgets(bare);
    await until('they are in IDLE', () => clients.every(client => client.idling));
    for (const { auth } of configs) await imap.deliver(auth.user, 'still here?');
    await until('they hear of the message', () => aware.every(({ counts }) => counts.at(-1) === 1));
    expect(clients.map(client => socketOf(client).localPort)).to.deep.equal(ports);
    for (const client of clients) await client.logout();
    bare.close();
  });

  it('survives the end of an idle client, and tells the next request why', async () => {
    const config = imap.config();
    const client = harden(new ImapFlow(config), { heartbeat: false });
    await idling(client);
    const closed = new Promise<void>(resolve => client.once('close', () => resolve()));
    socketOf(client).destroy(new Error('cut off'));
    await closed;
    const error = await failure(client.noop());
    expect(error).to.have.nested.property('cause.message', 'cut off');
    expect(verdictOf(error)).to.include({ delivery: 'never-sent' });
  });
});

function failure(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  );
}
