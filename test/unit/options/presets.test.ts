import { expect } from 'chai';
import { findPreset, knownTimeouts, presetNames, presets } from '../../../src/options/presets.js';
import { resolveOptions } from '../../../src/options/resolve.js';

describe('presets', () => {
  for (const { name, idleTimeout, payloadOnly, configurable, settings, source, expiry } of presets) {
    const { idle, interval, count } = settings.keepalive;

    it(`${name}: every keepalive of a dying connection leaves before the timeout`, () => {
      expect(idle + interval * count).to.be.below(idleTimeout);
    });

    it(`${name}: the first keepalive leaves within a third of the timeout and within two minutes`, () => {
      expect(idle)
        .to.be.at.most(idleTimeout / 3)
        .and.at.most(120_000);
      expect(idle).to.be.at.least(Math.min(120_000, idleTimeout / 3 - 1000));
    });

    it(`${name}: its settings are valid options and resolve unchanged`, () => {
      expect(resolveOptions({ keepalive: settings.keepalive }).keepalive).to.deep.equal(settings.keepalive);
      const resolved = resolveOptions({ preset: name });
      expect(resolved.preset).to.equal(name);
      expect(resolved.keepalive).to.deep.equal(settings.keepalive);
      expect(resolved.userTimeout).to.equal(idle + interval * count);
    });

    it(`${name}: has a heartbeat interval exactly where only payload counts, short enough to answer in time`, () => {
      expect(settings.heartbeatInterval !== undefined).to.equal(payloadOnly);
      if (settings.heartbeatInterval === undefined) return;
      expect(settings.heartbeatInterval % 1000).to.equal(0);
      expect(settings.heartbeatInterval + 10_000).to.be.below(idleTimeout);
    });

    it(`${name}: says where its figure is from and its default lies in the configurable range`, () => {
      expect(source).to.not.equal('');
      expect(expiry).to.not.equal('');
      if (configurable) expect(idleTimeout).to.be.within(configurable.min, configurable.max);
    });
  }

  it('have the figures of the documents they name', () => {
    const seconds = (name: string) => (findPreset(name)?.idleTimeout ?? NaN) / 1000;
    expect(seconds('aws-nat-gateway')).to.equal(350);
    expect(seconds('aws-alb')).to.equal(60);
    expect(seconds('azure-load-balancer')).to.equal(240);
    expect(seconds('google-cloud-nat')).to.equal(1200);
    expect(seconds('linux-conntrack')).to.equal(432_000);
    expect(seconds('rfc5382')).to.equal(7440);
  });

  it('leave out devices whose timeout is known from memory only', () => {
    expect(presets.filter(preset => preset.confidence === 'memory')).to.deep.equal([]);
  });

  it('have unique names that fit an environment variable', () => {
    expect(new Set(presetNames).size).to.equal(presets.length);
    for (const name of presetNames) expect(name).to.match(/^[a-z][a-z0-9-]+$/);
  });

  it('are frozen, settings too', () => {
    for (const preset of presets) {
      expect(preset).to.be.frozen;
      expect(preset.settings).to.be.frozen;
      expect(preset.settings.keepalive).to.be.frozen;
    }
  });

  it('are all survived by the default settings where keepalive counts', () => {
    const { keepalive } = resolveOptions();
    for (const { name, idleTimeout, payloadOnly } of presets) {
      if (!payloadOnly)
        expect(keepalive.idle + keepalive.interval * keepalive.count, name).to.be.below(idleTimeout);
    }
  });
});

describe('findPreset', () => {
  it('finds by exact name and nothing else', () => {
    expect(findPreset('pfsense')?.title).to.equal('pfSense');
    expect(findPreset('PFSENSE')).to.equal(undefined);
    expect(findPreset('constructor')).to.equal(undefined);
  });
});

describe('knownTimeouts', () => {
  it('has every preset, shortest timeout first', () => {
    const known = knownTimeouts();
    expect(known.map(each => each.name)).to.have.members([...presetNames]);
    const times = known.map(each => each.idleTimeout);
    expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
    expect(known[0]).to.deep.equal({ name: 'heroku-router', idleTimeout: 55_000 });
  });
});
