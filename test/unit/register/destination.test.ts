import { expect } from 'chai';
import { destinationOf } from '../../../src/register/destination.js';

describe('the destination of socket.connect()', () => {
  it('is read from every form of its arguments', () => {
    const forms: readonly (readonly unknown[])[] = [
      [{ host: 'db', port: 5432 }],
      [{ host: 'db', port: '5432' }, () => undefined],
      [5432, 'db'],
      ['5432', 'db', () => undefined],
      [[{ host: 'db', port: 5432 }, null]],
    ];
    for (const args of forms) expect(destinationOf(args)).to.deep.equal({ host: 'db', port: 5432 });
    expect(destinationOf([5432, () => undefined])).to.deep.equal({ host: undefined, port: 5432 });
  });

  it('is nothing for a Unix socket, and for arguments that connect will refuse', () => {
    const others: readonly (readonly unknown[])[] = [
      [],
      [null],
      ['/run/db.sock'],
      [{ path: '/run/db.sock' }],
      [{ path: '/run/db.sock', port: 1 }],
      [[{ path: '/run/db.sock' }, null]],
      [{}],
      [{ port: 70_000 }],
      [{ port: -1 }],
      [{ port: 1.5 }],
      [{ port: Symbol('x') }],
      [''],
    ];
    for (const args of others) expect(destinationOf(args)).to.equal(undefined);
  });
});
