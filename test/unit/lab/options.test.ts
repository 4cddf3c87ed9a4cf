import { expect } from 'chai';
import { createNatLab, LabError } from '../../../src/lab/index.js';
import { resolveOptions, resolveSettings } from '../../../src/lab/options.js';

describe('lab options', () => {
  it('default to a NAT of 3 s that resets on a packet, with any backend', () => {
    const defaults = { idleTimeout: 3000, expiry: 'reset-on-packet', backend: 'auto' };
    expect(resolveOptions(undefined)).to.deep.equal(defaults);
    expect(resolveOptions({ idleTimeout: undefined })).to.deep.equal(defaults);
  });

  it('take milliseconds and strings with a unit', () => {
    expect(resolveOptions({ idleTimeout: 1500 }).idleTimeout).to.equal(1500);
    expect(resolveOptions({ idleTimeout: '2s' }).idleTimeout).to.equal(2000);
    expect(resolveOptions({ idleTimeout: '1.5 m' }).idleTimeout).to.equal(90_000);
  });

  for (const idleTimeout of [0, 9, -1, NaN, Infinity, 2 ** 31, '3', '3 parsecs', '', '1ms', true, null, []]) {
    it(`refuse idleTimeout ${typeof idleTimeout} ${String(idleTimeout)}, naming key, value and range`, () => {
      expect(() => resolveOptions({ idleTimeout })).to.throw(
        LabError,
        /idleTimeout is .*10 to 2147483647 milliseconds/,
      );
    });
  }

  it('report every problem in one error', () => {
    expect(() =>
      resolveOptions({ idleTimeout: '3', expiry: 'reset', backend: 'docker', timeout: 3 }),
    ).to.throw(
      LabError,
      /unknown option timeout \(known: .*\); idleTimeout is '3'.*; expiry is 'reset'.*; backend is 'docker', allowed: auto, kernel, emulated/,
    );
  });

  it('let configure change one setting and keep the other, but not the backend', () => {
    const current = { idleTimeout: 5000, expiry: 'drop' } as const;
    expect(resolveSettings({ idleTimeout: '1s' }, current)).to.deep.equal({
      idleTimeout: 1000,
      expiry: 'drop',
    });
    expect(() => resolveSettings({ backend: 'kernel' }, current)).to.throw(
      LabError,
      'unknown option backend',
    );
  });

  it('make createNatLab reject with the code ERR_HOLDFAST_LAB', async () => {
    const error: unknown = await createNatLab({ idleTimeout: '3' }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(LabError).with.property('code', 'ERR_HOLDFAST_LAB');
  });
});
