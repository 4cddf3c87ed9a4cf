import { connect } from 'amqplib';
import { url, workTwice } from '../application.js';

const connection = await connect(url.href, { recovery: true });
connection.on('error', () => undefined); // without a listener it ends the process
await workTwice(async () => {
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('amqplib');
  channel.sendToQueue('amqplib', Buffer.from('message'));
  await channel.waitForConfirms();
  await channel.close();
});
