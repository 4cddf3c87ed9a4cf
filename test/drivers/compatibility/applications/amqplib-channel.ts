import { connect } from 'amqplib';
import { url, workTwice } from '../application.js';

const connection = await connect(url.href);
connection.on('error', () => undefined); // without a listener it ends the process
const channel = await connection.createConfirmChannel();
await channel.assertQueue('amqplib');
await workTwice(async () => {
  channel.sendToQueue('amqplib', Buffer.from('message'));
  await channel.waitForConfirms();
});
