import { ImapFlow } from 'imapflow';
import { superviseMailbox } from '../../../src/drivers/imapflow.js';
import { place, workInRounds } from './application.js';
import { config, message } from './imapflow-config.js';

await workInRounds(async options => {
  const inbox = superviseMailbox({ open: () => new ImapFlow(config), mailbox: place, ...options });
  /** How often each subject was heard. */
  const heard = new Map<string, number>();
  let wake = (): void => undefined;
  const times = (): number => [...heard.values()].reduce((sum, often) => sum + often, 0);
  async function listen(): Promise<void> {
    for await (const arrival of inbox) {
      const subject = arrival.message.envelope?.subject ?? '';
      heard.set(subject, (heard.get(subject) ?? 0) + 1);
      wake();
    }
  }
  const end = listen();
  await inbox.session.run(() => undefined);
  return {
    write: next => {
      const n = next();
      return inbox.session.run(client => client.append(place, message(n)));
    },
    // Here it is what was heard that counts.
    async count(written) {
      while (heard.size < written) await new Promise<void>(resolve => (wake = resolve));
      return times();
    },
    async close() {
      await inbox.close();
      await end;
      if (times() !== heard.size) throw new Error('a message was heard twice');
    },
  };
});
