import { useNatLab } from '../../support/nat.js';
import { useRedis } from '../../support/servers/redis.js';
import { useMongo } from '../../support/servers/use-mongo.js';
import { itTellsTheFates } from './compatibility.js';

describe('Redis and MongoDB drivers behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const redis = useRedis(nat);
  const redisUrl = (): string => redis.url;
  const mongo = useMongo(nat);

  itTellsTheFates(nat, [
    { name: 'ioredis', application: 'ioredis-client', wrapped: 'ioredis-client', url: redisUrl },
    { name: 'redis', application: 'redis-client', wrapped: 'redis-client', url: redisUrl },
    { name: 'mongodb', application: 'mongodb-client', wrapped: 'mongodb-client', url: () => mongo.url },
  ]);
});
