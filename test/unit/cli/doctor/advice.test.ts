import { expect } from 'chai';
import { advise, type AdviceFacts } from '../../../../src/cli/doctor/advice.js';
import { examineEnvironment } from '../../../../src/cli/doctor/environment.js';
import { kernelDefaults } from '../../../../src/cli/doctor/system.js';
import type { AppliedSettings } from '../../../../src/kernel/kernel.js';

const met = { requested: 30_000, effective: 30_000, binding: 'koffi', reason: undefined } as const;
const settings: AppliedSettings = {
  keepalive: { ...met, requested: true, effective: true },
  idle: met,
  interval: met,
  count: met,
  userTimeout: met,
};

function factsWith(extra: Partial<AdviceFacts>, env: NodeJS.ProcessEnv = {}): AdviceFacts {
  return {
    defaults: { idle: 7_200_000, interval: 75_000, count: 9, retries: 15 },
    capabilities: {
      node: '20.19.0',
      platform: 'linux',
      arch: 'x64',
      nodeSetsIntervalAndCount: false,
      bindings: [],
      unavailable: {},
      canRead: true,
    },
    environment: examineEnvironment(env),
    settings,
    connection: undefined,
    ...extra,
  };
}

const problems = (facts: AdviceFacts): string[] =>
  advise(facts).flatMap(({ level, text }) => (level === 'problem' ? [text] : []));

describe('doctor’s advice', () => {
  it('has no problem with the defaults where they hold', () => {
    expect(problems(factsWith({}))).to.deep.equal([]);
  });

  it('names an option that does not hold, and why', () => {
    const reason = 'no binding can set it';
    const userTimeout = { ...met, effective: undefined, binding: undefined, reason };
    const found = problems(factsWith({ settings: { ...settings, userTimeout } }));
    expect(found).to.deep.equal(['userTimeout does not hold: no binding can set it']);
  });

  it('has no problem with an option that was set and can only not be read back', () => {
    const idle = { ...met, effective: undefined, binding: 'node', reason: 'set, not read back' } as const;
    expect(problems(factsWith({ settings: { ...settings, idle } }))).to.deep.equal([]);
    const changed = { ...met, effective: 7000, reason: 'the kernel holds 7000' };
    expect(problems(factsWith({ settings: { ...settings, idle: changed } }))).to.have.length(1);
  });

  it('lists every wrong variable, without the value of an unknown one', () => {
    const env = { HOLDFAST_KEEPALIVE_IDLE: '30', HOLDFAST_PASSWORD: 'hunter2', HOME: '/secret' };
    const found = problems(factsWith({}, env)).join('\n');
    expect(found).to.include('30 means 30 ms; write 30s').and.to.include('HOLDFAST_PASSWORD');
    expect(JSON.stringify(factsWith({}, env))).to.not.match(/hunter2|secret/);
  });

  it('knows which devices a keepalive comes too late for', () => {
    const found = problems(factsWith({}, { HOLDFAST_KEEPALIVE_IDLE: '5m' })).join('\n');
    expect(found).to.include('comes too late for').and.to.include('azure-load-balancer (4m)');
    expect(found).to.not.include('aws-nat-gateway');
  });

  it('says that keepalive does not help where a preset counts payload only', () => {
    const advice = advise(factsWith({}, { HOLDFAST_PRESET: 'aws-alb' }));
    expect(advice.map(({ text }) => text).join('\n')).to.include('aws-alb counts payload only');
  });

  it('calls an untrusted certificate and an unanswered probe problems', () => {
    const connection = {
      connected: true,
      address: '192.0.2.1',
      settings,
      roundTrip: 1,
      probe: { alive: false, rtt: undefined },
      tls: { protocol: 'TLSv1.3', problem: 'SELF_SIGNED_CERT' },
    } as const;
    const found = problems(factsWith({ connection })).join('\n');
    expect(found).to.include('SELF_SIGNED_CERT').and.to.include('no answer to a keepalive probe');
  });
});

describe('kernel defaults', () => {
  it('are read from /proc, in milliseconds', () => {
    const files: Record<string, string> = {
      tcp_keepalive_time: '7200\n',
      tcp_keepalive_intvl: '75\n',
      tcp_keepalive_probes: '9\n',
      tcp_retries2: '15\n',
    };
    expect(kernelDefaults(name => files[name])).to.deep.equal({
      idle: 7_200_000,
      interval: 75_000,
      count: 9,
      retries: 15,
    });
  });

  it('are unknown where the system does not say, or says nonsense', () => {
    const unknown = { idle: undefined, interval: undefined, count: undefined, retries: undefined };
    expect(kernelDefaults(() => undefined)).to.deep.equal(unknown);
    expect(kernelDefaults(() => 'n/a')).to.deep.equal(unknown);
  });
});
