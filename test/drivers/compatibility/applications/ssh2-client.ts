import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Client, type ClientChannel } from 'ssh2';
import { url, workTwice } from '../application.js';

const client = new Client();
client.connect({
  host: url.hostname,
  port: Number(url.port),
  username: url.username,
  privateKey: readFileSync(url.pathname),
});
await once(client, 'ready');
client.on('error', () => undefined); // without a listener it ends the process
await workTwice(async () => {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec('true', (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  channel.resume();
  const [code] = (await once(channel, 'close')) as [number | undefined];
  if (code !== 0) throw new Error('no exit code'); // how the driver says that the connection was lost meanwhile
});
