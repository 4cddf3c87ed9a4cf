import { expect } from 'chai';
import { ImapFlow } from 'imapflow';
import { superviseMailbox, type SupervisedMailbox } from '../../src/drivers/imapflow.js';
import type { Verdict } from '../../src/index.js';
import { until, useNatLab } from '../support/nat.js';
import { useDovecot } from '../support/servers/dovecot-fixture.js';

/** Nobody looks after the path but whoever uses it, and nothing is learned. */
const GATE_ONLY = {
  keepalive: { idle: '1h' },
  heartbeat: false,
  probeAfterIdle: '1s',
  learn: false,
} as const;
/** These come after the NAT has forgotten, and find the flow gone. */
const NOTICED_BY = {
  'a heartbeat': { keepalive: { idle: '1h' }, learn: false, heartbeat: { interval: '4s' } },
  keepalive: { keepalive: { idle: '4s', interval: '1s' }, learn: false, heartbeat: false },
} as const;

describe('a supervised IMAP mailbox behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const imap = useDovecot(nat);

  /** Subjects in the order in which they arrive. */
  function listen(mailbox: SupervisedMailbox<ImapFlow>): {
    readonly heard: string[];
    readonly end: Promise<void>;
  } {
    const heard: string[] = [];
    const iterate = async (): Promise<void> => {
      for await (const { message } of mailbox) heard.push(message.envelope?.subject ?? '');
    };
    return { heard, end: iterate() };
  }

  for (const expiry of ['reset-on-packet', 'drop'] as const) {
    it(`tells each message once: on time, in the gap, and after it (${expiry})`, async () => {
      await nat.lab.configure({ expiry });
      const config = imap.config();
      const { user } = config.auth;
      const verdicts: (Verdict | undefined)[] = [];
      const resumes: number[] = [];
      const mailbox = superviseMailbox({
        open: () => new ImapFlow(config),
        resume: (client, { generation, since }) => {
          expect(client.mailbox).to.have.property('uidValidity', since.uidValidity);
          resumes.push(generation);
        },
        ...GATE_ONLY,
      });
      mailbox.session.on('lost', ({ verdict }) => verdicts.push(verdict));
      const { heard, end } = listen(mailbox);
      const sent: string[] = [];
      const deliver = (subject: string): Promise<void> => {
        sent.push(subject);
        return imap.deliver(user, subject);
      };
      await mailbox.session.run(() => undefined);

      for (let round = 1; round <= 2; round++) {
        const client = await mailbox.session.run(given => given);
        await deliver(`${round} on time`);
        await until('it is heard', () => heard.length === sent.length);
        await imap.forgets(client);
        await deliver(`${round} in the gap, first`);
        await deliver(`${round} in the gap, second`);
        expect(heard).to.have.length(sent.length - 2);
        await mailbox.session.run(given => given.noop());
        await until('the gap is closed', () => heard.length === sent.length);
        await deliver(`${round} after the gap`);
        await until('it is heard', () => heard.length === sent.length);
      }
      expect(heard).to.deep.equal(sent);
      expect(resumes).to.deep.equal([2, 3]);
      const cause = expiry === 'drop' ? 'path-timeout' : 'nat-eviction';
      expect(verdicts.map(verdict => verdict?.cause)).to.deep.equal([cause, cause]);
      await mailbox.close();
      await end;
    });
  }

  for (const [means, options] of Object.entries(NOTICED_BY)) {
    it(`tells by itself of a message that came in the gap, once ${means} has noticed`, async () => {
      await nat.lab.configure({ expiry: means === 'keepalive' ? 'reset-on-packet' : 'drop' });
      const config = imap.config();
      const mailbox = superviseMailbox({ open: () => new ImapFlow(config), ...options });
      const { heard, end } = listen(mailbox);
      await imap.forgets(await mailbox.session.run(client => client));
      await imap.deliver(config.auth.user, 'in the gap');
      await until('it is heard', () => heard.length > 0);
      expect(heard).to.deep.equal(['in the gap']);
      expect(mailbox.session.generation).to.equal(2);
      await mailbox.close();
      await end;
    });
  }

  it('starts where an earlier program run left off, and misses nothing while the server ends sessions', async () => {
    const config = imap.config();
    const { user } = config.auth;
    const open = (): ImapFlow => new ImapFlow(config);
    const first = superviseMailbox({ open, heartbeat: false });
    await first.session.run(() => undefined);
    await imap.deliver(user, 'one');
    await imap.deliver(user, 'two');
    let position = first.position;
    for await (const arrival of first) {
      expect(arrival.message.envelope).to.have.property('subject', 'one');
      position = arrival.position;
      break;
    }
    expect(first.session.state).to.equal('closed');

    const second = superviseMailbox({ open, heartbeat: false, since: position });
    const { heard, end } = listen(second);
    await until('what was left is heard', () => heard.length === 1);
    const resumed = new Promise(resolve => second.session.once('resumed', resolve));
    await imap.server.kick(user);
    await imap.deliver(user, 'three');
    await resumed;
    await until('what came meanwhile is heard', () => heard.length === 2);
    expect(heard).to.deep.equal(['two', 'three']);
    await second.session.run(client => client.logout());
    await end;
    expect(second.session.state).to.equal('closed');
  });

  it('says so where it can not log in', async () => {
    const config = imap.config();
    const auth = { ...config.auth, pass: 'wrong' };
    const mailbox = superviseMailbox({ open: () => new ImapFlow({ ...config, auth }) });
    const error = await listen(mailbox).end.then(
      () => expect.fail('it was expected to fail'),
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('authenticationFailed', true);
  });
});
