import { useNatLab } from '../../support/nat.js';
import { useCassandra } from '../../support/servers/cassandra.js';
import { itTellsTheFates } from './compatibility.js';

describe('the Cassandra driver behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const cassandra = useCassandra(nat);

  itTellsTheFates(nat, [
    { name: 'cassandra-driver', application: 'cassandra-client', url: () => cassandra.url },
  ]);
});
