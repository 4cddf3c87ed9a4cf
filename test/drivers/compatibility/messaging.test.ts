import { useNatLab } from '../../support/nat.js';
import { useKafka } from '../../support/servers/kafka.js';
import { useMosquitto } from '../../support/servers/mosquitto.js';
import { useNats } from '../../support/servers/nats.js';
import { useRabbitmq } from '../../support/servers/rabbitmq.js';
import { itTellsTheFates } from './compatibility.js';

describe('messaging drivers behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const rabbitmq = useRabbitmq(nat);
  const mosquitto = useMosquitto(nat);
  const nats = useNats(nat);
  const kafka = useKafka(nat);

  itTellsTheFates(nat, [
    { name: 'amqplib', application: 'amqplib-channel', url: () => rabbitmq.url },
    { name: 'amqplib with recovery', application: 'amqplib-recovery', url: () => rabbitmq.url },
    { name: 'kafkajs producer', application: 'kafkajs-producer', url: () => kafka.url },
    { name: 'mqtt, QoS 0', application: 'mqtt-qos0', url: () => mosquitto.url },
    { name: 'mqtt, QoS 1', application: 'mqtt-qos1', url: () => mosquitto.url },
    { name: 'nats', application: 'nats-flush', url: () => nats.url },
  ]);
});
