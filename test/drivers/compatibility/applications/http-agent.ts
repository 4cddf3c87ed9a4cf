import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { url, workTwice } from '../application.js';

// The agent's own default of 1 s would keep the flow awake without anybody's help.
const agent = new Agent({ keepAlive: true, keepAliveMsecs: 60_000, maxSockets: 1 });
await workTwice(async () => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent }, resolve).on('error', reject);
  });
  await text(response);
});
