import { ImapFlow } from 'imapflow';
import { harden } from '../../../src/drivers/imapflow.js';
import { place, workInRounds } from './application.js';
import { config, message } from './imapflow-config.js';

await workInRounds(async options => {
  const client = harden(new ImapFlow(config), options);
  await client.connect();
  return {
    write: next => client.append(place, message(next())),
    async count() {
      const status = await client.status(place, { messages: true });
      return status === false ? NaN : (status.messages ?? NaN);
    },
    close: () => client.logout(),
  };
});
