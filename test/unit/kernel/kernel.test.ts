import { expect } from 'chai';
import {
  inKernelUnits,
  wholeSeconds,
  type BindingName,
  type KernelBinding,
  type KernelSettings,
  type SettingName,
  type WriteFailures,
} from '../../../src/kernel/binding.js';
import type { TcpHandle } from '../../../src/kernel/handle.js';
import { Kernel } from '../../../src/kernel/kernel.js';
import { claimSettings, claimsOf, giveUpClaim } from '../../../src/kernel/pin.js';
import { platformConstants } from '../../../src/kernel/platform.js';

const WANTED: KernelSettings = { keepalive: true, idle: 7000, interval: 3000, count: 4, userTimeout: 19_000 };
const ALL: readonly SettingName[] = ['keepalive', 'idle', 'interval', 'count', 'userTimeout'];

class FakeBinding implements KernelBinding {
  readonly sets: ReadonlySet<SettingName>;
  readonly held: Partial<Record<SettingName, number | boolean>> = {};
  failing: WriteFailures = {};
  constructor(
    readonly name: BindingName,
    sets: readonly SettingName[] = ALL,
    readonly cannot: WriteFailures = {},
  ) {
    this.sets = new Set(sets);
  }
  write(_handle: TcpHandle, settings: Partial<KernelSettings>): WriteFailures {
    for (const [name, value] of Object.entries(settings)) {
      if (this.failing[name as SettingName] === undefined) {
        this.held[name as SettingName] = inKernelUnits(name as SettingName, value);
      }
    }
    return this.failing;
  }
  read(): Partial<KernelSettings> | undefined {
    return this.name === 'koffi' ? ({ ...this.held } as Partial<KernelSettings>) : undefined;
  }
  tcpInfo(): undefined {
    return undefined;
  }
}

class FakeHandle implements TcpHandle {
  readonly calls: unknown[][] = [];
  setKeepAlive(...call: unknown[]): number {
    this.calls.push(call);
    return 0;
  }
}

describe('Kernel', () => {
  const handle = new FakeHandle();

  it('reports what was requested, what holds and which binding set it', () => {
    const report = new Kernel([new FakeBinding('koffi')]).apply(handle, WANTED);
    expect(report.idle).to.deep.equal({
      requested: 7000,
      effective: 7000,
      binding: 'koffi',
      reason: undefined,
    });
    expect(report.keepalive).to.deep.equal({
      requested: true,
      effective: true,
      binding: 'koffi',
      reason: undefined,
    });
  });

  it('rounds times up to whole seconds and does not call that a failure', () => {
    const report = new Kernel([new FakeBinding('koffi')]).apply(handle, {
      ...WANTED,
      idle: 1001,
      userTimeout: 1001,
    });
    expect(report.idle).to.deep.include({ requested: 1001, effective: 2000, reason: undefined });
    expect(report.userTimeout).to.deep.include({ requested: 1001, effective: 1001, reason: undefined });
    expect([1, 999, 1000, 1001].map(wholeSeconds)).to.deep.equal([1, 1, 1, 2]);
  });

  it('leaves what the first binding can not set to the next, and names each', () => {
    const node = new FakeBinding('node', ['keepalive', 'idle']);
    const report = new Kernel([node, new FakeBinding('net-keepalive')]).apply(handle, WANTED);
    expect(report.idle.binding).to.equal('node');
    expect(report.interval.binding).to.equal('net-keepalive');
    expect(report.userTimeout?.binding).to.equal('net-keepalive');
  });

  it('falls back when a binding fails, and keeps its reason only when nobody succeeds', () => {
    const first = new FakeBinding('koffi');
    first.failing = { count: 'setsockopt: EINVAL' };
    const rescued = new Kernel([first, new FakeBinding('node')]).apply(handle, WANTED);
    expect(rescued.count.binding).to.equal('node');
    const alone = new Kernel([first]).apply(handle, WANTED);
    expect(alone.count).to.deep.include({ binding: undefined, reason: 'koffi: setsockopt: EINVAL' });
  });

  it('says why nothing can set a value: what the bindings lack and which ones are missing', () => {
    const node = new FakeBinding('node', ['keepalive', 'idle'], { interval: 'too old' });
    const report = new Kernel([node], { koffi: 'koffi did not load' }).apply(handle, WANTED);
    expect(report.interval.reason).to.equal(
      'no binding can set interval here; node: too old; koffi: koffi did not load',
    );
    expect(report.interval.effective).to.equal(undefined);
  });

  it('does not claim what it could not read back', () => {
    const report = new Kernel([new FakeBinding('node')]).apply(handle, WANTED);
    expect(report.idle).to.deep.include({ effective: undefined, binding: 'node' });
    expect(report.idle.reason).to.match(/not read back/);
  });

  it('says what the kernel holds instead', () => {
    const lying = new FakeBinding('koffi');
    lying.write = () => ((lying.held.idle = 7_200_000), {});
    expect(new Kernel([lying]).apply(handle, WANTED).idle.reason).to.equal('the kernel holds 7200000');
  });

  it('leaves the user timeout out of the report when it was not asked for', () => {
    const { userTimeout: _, ...four } = WANTED;
    expect(new Kernel([new FakeBinding('koffi')]).apply(handle, four)).to.not.have.property('userTimeout');
  });

  it('shares one report among the sockets that got all they asked for', () => {
    const kernel = new Kernel([new FakeBinding('koffi')]);
    expect(kernel.apply(handle, WANTED)).to.equal(kernel.apply(new FakeHandle(), WANTED));
    expect(kernel.apply(handle, { ...WANTED })).to.not.equal(kernel.apply(handle, WANTED));
  });

  it('has no numbers for platforms it was not written for', () => {
    expect(platformConstants('win32', 'x64')).to.equal(undefined);
    expect(platformConstants('linux', 'mips')).to.equal(undefined);
    expect(platformConstants('darwin', 'arm64')).to.deep.include({ TCP_KEEPIDLE: 0x10, TCP_INFO: undefined });
  });
});

describe('the pin', () => {
  const wanted = (idle: number): { wanted: KernelSettings } => ({ wanted: { ...WANTED, idle } });

  it('holds back calls of others and lets a binding built on the handle’s own setter through', () => {
    const handle = new FakeHandle();
    const binding = new FakeBinding('koffi');
    binding.write = (target, settings) => (target.setKeepAlive(true, settings.idle), {});
    claimSettings(handle, new Kernel([binding]), wanted(7000));
    expect(handle.calls).to.deep.equal([[true, 7000]]);
    expect(handle.setKeepAlive(true, 1)).to.equal(0);
    expect(handle.calls).to.have.lengthOf(1);
  });

  it('restores the earlier values, then does the last call that was held back', () => {
    const handle = new FakeHandle();
    const binding = new FakeBinding('koffi');
    Object.assign(binding.held, { ...WANTED, keepalive: false, idle: 7_200_000 });
    const kernel = new Kernel([binding]);
    const claimant = wanted(7000);
    claimSettings(handle, kernel, claimant);
    handle.setKeepAlive(true, 1);
    handle.setKeepAlive(true, 60);
    giveUpClaim(handle, kernel, claimant);
    expect(binding.held).to.deep.include({ keepalive: false, idle: 7_200_000 });
    expect(handle.calls).to.deep.equal([[true, 60]]);
  });

  it('stays while another claim needs it, whichever is given up first', () => {
    for (const first of [0, 1] as const) {
      const handle = new FakeHandle();
      const binding = new FakeBinding('koffi');
      Object.assign(binding.held, { ...WANTED, idle: 7_200_000 });
      const kernel = new Kernel([binding]);
      const claims = [wanted(7000), wanted(9000)] as const;
      for (const claim of claims) claimSettings(handle, kernel, claim);
      expect(binding.held.idle).to.equal(9000);
      giveUpClaim(handle, kernel, claims[first]);
      const left = claims[1 - first] as (typeof claims)[0];
      expect(binding.held.idle).to.equal(left.wanted.idle);
      expect(claimsOf(handle)).to.deep.equal([left]);
      handle.setKeepAlive(true, 1);
      expect(handle.calls).to.deep.equal([]);
      giveUpClaim(handle, kernel, left);
      expect(binding.held.idle).to.equal(7_200_000);
      expect(handle.calls).to.deep.equal([[true, 1]]);
    }
  });

  it('leaves nothing on the handle, and puts back a setter that was the handle’s own', () => {
    const handle = new FakeHandle();
    const kernel = new Kernel([new FakeBinding('koffi')]);
    const before = Reflect.ownKeys(handle);
    const claimant = wanted(7000);
    claimSettings(handle, kernel, claimant);
    giveUpClaim(handle, kernel, claimant);
    giveUpClaim(handle, kernel, claimant);
    expect(Reflect.ownKeys(handle)).to.deep.equal(before);

    const own = (): number => 42;
    handle.setKeepAlive = own;
    claimSettings(handle, kernel, claimant);
    expect(handle.setKeepAlive()).to.equal(0);
    giveUpClaim(handle, kernel, claimant);
    expect(handle.setKeepAlive).to.equal(own);
  });
});
