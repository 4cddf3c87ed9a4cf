import { expect } from 'chai';
import { parseTarget } from '../../../src/options/targets.js';
import { optionsFromEnv } from '../../../src/options/env.js';
import { isLoopbackAddress, TargetMatcher } from '../../../src/register/target-matcher.js';

/** What a list decides for `host address port`; a dash stands for what is not known. */
function decide(targets: string, peer: string): boolean | undefined {
  const [host = '-', address = '-', port = '0'] = peer.split(' ');
  const known = (text: string): string | undefined => (text === '-' ? undefined : text);
  return new TargetMatcher(targets === '' ? [] : targets.split(',')).matches({
    host: known(host),
    address: known(address),
    port: Number(port),
  });
}

describe('HOLDFAST_TARGETS', () => {
  const cases: readonly [targets: string, peer: string, expected: boolean | undefined, why: string][] = [
    ['', 'db 10.0.0.1 5432', true, 'without a list every peer is hardened'],
    ['', 'db 127.0.0.1 5432', false, 'but loopback'],
    ['', 'db ::1 5432', false, 'but IPv6 loopback'],
    ['', 'db ::ffff:127.0.0.1 5432', false, 'but loopback in IPv6 clothes'],
    ['', 'localhost - 5432', false, 'localhost is loopback before it is looked up'],
    ['', 'a.localhost - 5432', false, 'and so is every name under it'],
    ['', '- - 5432', false, 'and no name at all, which Node takes for localhost'],
    ['', '127.0.0.1 - 5432', false, 'and an address that is'],
    ['', '10.0.0.1 - 5432', true, 'an address asked for needs no looking up'],
    ['', 'db - 5432', undefined, 'a name does'],
    ['db.internal', 'db.internal 10.0.0.1 5432', true, 'a name matches the name asked for'],
    ['db.internal', 'DB.internal. 10.0.0.1 5432', true, 'in any case, with or without the final dot'],
    ['db.internal', 'other 10.0.0.1 5432', false, 'and no other'],
    ['db.internal', 'other - 5432', false, 'which is known at once'],
    ['db.internal:5432', 'db.internal 10.0.0.1 5433', false, 'a port must match too'],
    ['*.internal', 'a.b.internal 10.0.0.1 1', true, 'a star stands for dots too'],
    ['*.internal', 'internal 10.0.0.1 1', false, 'and what is written must be there'],
    ['db-?', 'db-1 10.0.0.1 1', true, 'a question mark stands for one character'],
    ['db-?', 'db-10 10.0.0.1 1', false, 'and for one only'],
    ['10.0.*', 'db 10.0.3.4 1', true, 'a glob also matches the address'],
    ['10.0.0.0/8', 'db 10.200.1.1 1', true, 'a block matches the address'],
    ['10.0.0.0/8', 'db 11.0.0.1 1', false, 'inside it'],
    ['10.0.0.0/8', 'db - 1', undefined, 'which is not known before'],
    ['10.0.0.0/8', 'db ::ffff:10.1.1.1 1', true, 'in IPv6 clothes too'],
    ['10.1.2.3', 'db 10.1.2.3 1', true, 'an address is a block of one'],
    ['2001:db8::/32', 'db 2001:db8:1::1 1', true, 'IPv6 blocks need no brackets'],
    ['[2001:db8::/32]:443', 'db 2001:db8:1::1 443', true, 'but with a port'],
    ['[2001:db8::/32]:443', 'db 2001:db8:1::1 444', false, 'and the port counts'],
    ['[::1]', '- ::1 444', true, 'an address in brackets'],
    [':5432', 'db 10.0.0.1 5432', true, 'a port alone means every host'],
    [':5432', 'db 10.0.0.1 5433', false, 'on that port'],
    ['*:6379-6390', 'db 10.0.0.1 6380', true, 'a range of ports'],
    ['*:6379-6390', 'db 10.0.0.1 6391', false, 'ends where it says'],
    ['!10.0.0.0/8', 'db 10.0.0.1 1', false, 'an exclude alone takes out of every peer'],
    ['!10.0.0.0/8', 'db 11.0.0.1 1', true, 'and leaves the others'],
    ['!10.0.0.0/8', 'db 127.0.0.1 1', false, 'but loopback'],
    ['!db,*.internal,db', 'db 10.0.0.1 1', false, 'an exclude wins wherever it stands'],
    ['!db:5432', 'db 10.0.0.1 5433', true, 'an exclude may be of one port'],
    ['!:5432', 'db 10.0.0.1 5432', false, 'or of a port everywhere'],
    ['!db', 'db - 1', false, 'an excluded name is known at once'],
    ['*', 'db 127.0.0.1 1', false, 'a wildcard does not reach loopback'],
    [':5432', 'localhost 127.0.0.1 5432', false, 'nor does a port'],
    ['0.0.0.0/0', 'db 127.0.0.1 1', false, 'nor a block that is wider'],
    ['127.0.0.1', 'localhost 127.0.0.1 1', true, 'an address of it does'],
    ['127.0.0.0/8', 'x 127.9.9.9 1', true, 'and a block of it'],
    ['::1', 'x ::1 1', true, 'in IPv6 too'],
    ['localhost', 'localhost ::1 1', true, 'and a name written out'],
    ['db', 'db 127.0.1.1 1', true, 'whatever it is looked up to'],
    ['127.0.0.0/8', 'localhost - 1', true, 'known before the lookup'],
  ];
  for (const [targets, peer, expected, why] of cases) {
    it(`${targets === '' ? '(unset)' : targets} for ${peer}: ${String(expected)}: ${why}`, () => {
      expect(decide(targets, peer)).to.equal(expected);
    });
  }

  it('says what is wrong with an entry', () => {
    const wrong: readonly [string, string][] = [
      ['!', 'names no host and no port'],
      [':', 'is not a port'],
      ['db:', 'is not a port'],
      ['db:0', 'is not a port'],
      ['db:65536', 'is not a port'],
      ['db:5432-', 'is not a port'],
      ['db:20-10', 'runs backwards'],
      ['10.0.0.300', 'not an IPv4 address'],
      ['10.0.0', 'not an IPv4 address'],
      ['10.0.0.0/33', '0 to 32'],
      ['10.0.0.0/', '0 to 32'],
      ['2001:db8::/129', '0 to 128'],
      ['fe80::1%eth0', 'not an address'],
      ['db.internal/8', 'not an address or a block'],
      ['[db]:1', 'not an address or a block'],
      ['[]', 'not an address or a block'],
      ['[::1', 'is not'],
      ['a b', 'not a host name'],
      ['http://db', 'is not a port'],
      ['user@db', 'not a host name'],
    ];
    for (const [entry, problem] of wrong)
      expect(parseTarget(entry), entry).to.be.a('string').that.includes(problem);
  });

  it('is one problem of the one options error, with every wrong entry in it', () => {
    expect(() => optionsFromEnv({ HOLDFAST_TARGETS: 'ok, db:99999 ,10.0.0.0/33', HOLDFAST_LEARN: 'maybe' }))
      .to.throw(/^2 wrong options/)
      .with.property('problems')
      .that.satisfies((problems: { key: string; origin: string; hint?: string }[]) => {
        const found = problems.find(({ key }) => key === 'targets');
        return found?.origin === 'HOLDFAST_TARGETS' && /99999.*10\.0\.0\.0\/33/.test(found.hint ?? '');
      });
  });
});

describe('loopback', () => {
  it('is 127.0.0.0/8 and ::1, and nothing that looks like it', () => {
    for (const address of ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::FFFF:127.1.1.1']) {
      expect(isLoopbackAddress(address), address).to.equal(true);
    }
    for (const address of ['128.0.0.1', '12.7.0.1', '::2', '::ffff:10.0.0.1', '1::127.0.0.1', '1127.0.0.1']) {
      expect(isLoopbackAddress(address), address).to.equal(false);
    }
  });
});
