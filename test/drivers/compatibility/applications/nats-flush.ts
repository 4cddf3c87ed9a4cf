import { connect } from 'nats';
import { url, workTwice } from '../application.js';

const connection = await connect({ servers: url.host });
await workTwice(async () => {
  connection.publish('nats');
  await connection.flush();
});
