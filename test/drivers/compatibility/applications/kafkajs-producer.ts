import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { url, workTwice } from '../application.js';

// The driver sets timers of negative length, of which Node 24 warns.
const printers = process.listeners('warning');
process.removeAllListeners('warning').on('warning', warning => {
  if (warning.name !== 'TimeoutNegativeWarning') printers.forEach(print => print(warning));
});

const kafka = new Kafka({ brokers: [url.host], logLevel: logLevel.NOTHING });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
await workTwice(() => producer.send({ topic: url.pathname.slice(1), messages: [{ value: 'message' }] }));
