import { ImapFlow } from 'imapflow';
import { supervise } from '../../../src/drivers/imapflow.js';
import { place, workInRounds } from './application.js';
import { config, message } from './imapflow-config.js';

await workInRounds(options => {
  const session = supervise({ open: () => new ImapFlow(config), ...options });
  return Promise.resolve({
    write: next => {
      const n = next();
      return session.run(client => client.append(place, message(n)));
    },
    async count() {
      const status = await session.run(client => client.status(place, { messages: true }));
      return status === false ? NaN : (status.messages ?? NaN);
    },
    close: () => session.close(),
  });
});
