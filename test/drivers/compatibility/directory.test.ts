import { useNatLab } from '../../support/nat.js';
import { useSlapd } from '../../support/servers/slapd.js';
import { itTellsTheFates } from './compatibility.js';

describe('the LDAP driver behind a NAT that forgets after 3 s', () => {
  const nat = useNatLab({ idleTimeout: '3s' });
  const slapd = useSlapd(nat);
  const url = (): string => slapd.url;

  itTellsTheFates(nat, [
    { name: 'ldapts', application: 'ldapts-client', url },
    { name: 'ldapts with autoRebind', application: 'ldapts-rebinding', url },
  ]);
});
