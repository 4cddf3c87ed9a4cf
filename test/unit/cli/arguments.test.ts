import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import {
  durationArgument,
  formatAddress,
  integerArgument,
  parseAddress,
} from '../../../src/cli/arguments.js';

describe('command line arguments', () => {
  const addresses: readonly [string, string, number][] = [
    ['db.internal:5432', 'db.internal', 5432],
    ['127.0.0.1:1', '127.0.0.1', 1],
    ['[::1]:5432', '::1', 5432],
    ['[fe80::1%eth0]:65535', 'fe80::1%eth0', 65_535],
    ['my_host-1.local:80', 'my_host-1.local', 80],
  ];
  for (const [text, host, port] of addresses) {
    it(`reads ${text}, and writes it the same way`, () => {
      expect(parseAddress(text)).to.deep.equal({ host, port });
      expect(formatAddress({ host, port })).to.equal(text);
    });
  }

  const wrong: readonly [string, string][] = [
    ['', 'allowed: host:port'],
    ['db.internal', 'the port is missing'],
    ['db.internal:', 'allowed'],
    ['db.internal:0', '1 to 65535'],
    ['db.internal:65536', '1 to 65535'],
    ['db.internal:123456', '1 to 65535'],
    [':5432', 'allowed'],
    ['::1:5432', 'write [::1]:5432'],
    ['[::1]', 'allowed'],
    ['[nonsense]:5432', 'allowed'],
    ['http://db:80/', 'leave out the scheme'],
    ['a b:80', 'allowed'],
  ];
  for (const [text, help] of wrong) {
    it(`refuses ${JSON.stringify(text)} in one line that says why`, () => {
      expect(() => parseAddress(text)).to.throw(InvalidArgumentError, help);
      expect(() => parseAddress(text)).to.throw(/^HOST:PORT = "[^\n]*$/);
    });
  }

  it('never shows a password that was given with an address', () => {
    expect(() => parseAddress('postgres://me:hunter2@db:5432/x')).to.throw(/^(?!.*hunter2)/);
    expect(() => parseAddress('me:hunter2@db:5432')).to.throw(/^(?!.*hunter2)/);
  });

  it('names option, value and range of a wrong duration, and the unit that was meant', () => {
    const read = durationArgument('--max', { min: 2000, max: 86_400_000 });
    expect(read('90s')).to.equal(90_000);
    expect(() => read('600')).to.throw('--max = "600"; allowed: 2s to 86400s; 600 means 600 ms; write 600s');
    expect(() => read('1s')).to.throw('--max = "1s"; allowed: 2s to 86400s');
  });

  it('takes whole numbers within the range only', () => {
    const read = integerArgument('--connections', { min: 2, max: 64 });
    expect(read('16')).to.equal(16);
    for (const text of ['1', '65', '1.5', '0x10', '', 'many']) {
      expect(() => read(text), text).to.throw('--connections = ');
    }
  });
});
