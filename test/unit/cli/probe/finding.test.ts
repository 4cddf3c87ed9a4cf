import { expect } from 'chai';
import { conclude, type Finding } from '../../../../src/cli/probe/finding.js';
import type { Measurement } from '../../../../src/cli/probe/measure.js';
import { environmentLines, recommend } from '../../../../src/cli/probe/recommendation.js';
import type { TrialReport } from '../../../../src/cli/probe/trial.js';
import { forgetting, measurement, trial } from './sample.js';

function find(trials: readonly TrialReport[], extra: Partial<Measurement> = {}): Finding {
  return conclude(measurement(trials, extra)).finding;
}

const cutAfter3s = [trial(2500, 'survived'), trial(3004, 'cut'), trial(3008, 'cut')];

describe('what a probe concludes', () => {
  it('names a path that forgets, between which silences, and the devices it could be', () => {
    expect(find(forgetting)).to.deep.include({
      kind: 'forgets',
      low: 342_000,
      high: 358_000,
      estimate: 350_000,
      then: 'reset',
      keepaliveHelps: true,
    });
    expect(find(forgetting)).to.have.property('presets').that.includes('aws-nat-gateway');
  });

  it('says that the server closed where a FIN came during the silence', () => {
    expect(find([trial(2500, 'survived'), trial(3001, 'closed'), trial(3005, 'closed')])).to.deep.equal({
      kind: 'server-closes',
      after: 3001,
      how: 'fin',
    });
  });

  it('blames the server for resets that its control with keepalive got as well', () => {
    const control = { fate: 'cut', at: 3010 } as const;
    expect(find(cutAfter3s, { control })).to.deep.equal({ kind: 'server-closes', after: 3004, how: 'reset' });
  });

  it('blames the path for resets that its control with keepalive was spared', () => {
    const found = find(cutAfter3s, { control: { fate: 'alive', at: 4500 } });
    expect(found).to.include({
      kind: 'forgets',
      then: 'reset-at-expiry',
      estimate: 3004,
      keepaliveHelps: true,
    });
  });

  it('blames nobody where the control does not tell', () => {
    expect(find(cutAfter3s, { control: { fate: 'alive', at: 3050 } })).to.deep.equal({
      kind: 'resets',
      after: 3004,
    });
  });

  it('notices where keepalive does not help', () => {
    const trials = [trial(9000, 'survived'), trial(9500, 'silent'), trial(9600, 'silent')];
    expect(find(trials, { control: { fate: 'lost', at: 9700 } })).to.include({
      kind: 'forgets',
      keepaliveHelps: false,
    });
  });

  it('is settled only when it went all the way', () => {
    expect(conclude(measurement(forgetting)).isSettled).to.equal(true);
    expect(conclude(measurement(forgetting, { interrupted: true })).isSettled).to.equal(false);
    expect(conclude(measurement([trial(1000, 'survived'), trial(9000, 'silent')])).isSettled).to.equal(false);
  });

  it('gives the reason where nothing could be measured', () => {
    const failed = trial(0, 'failed', { reason: 'the server does not fall silent' });
    expect(find([failed])).to.deep.equal({ kind: 'unclear', reason: 'the server does not fall silent' });
    expect(find([], { interrupted: true }))
      .to.have.property('reason')
      .that.includes('interrupted');
  });
});

describe('what a probe recommends', () => {
  const linesFor = (trials: readonly TrialReport[], extra: Partial<Measurement> = {}): string[] =>
    environmentLines(recommend(conclude(measurement(trials, extra))));

  it('is a keepalive after a third of the limit, repeated twice in time', () => {
    expect(linesFor(forgetting)).to.deep.equal([
      'HOLDFAST_KEEPALIVE_IDLE=114s',
      'HOLDFAST_KEEPALIVE_INTERVAL=10s',
      'HOLDFAST_KEEPALIVE_COUNT=3',
    ]);
  });

  it('moves the write gate below a short limit', () => {
    const trials = [trial(6800, 'survived'), trial(7200, 'silent'), trial(7300, 'silent')];
    expect(linesFor(trials)).to.include('HOLDFAST_PROBE_AFTER_IDLE=3s');
  });

  it('is in time for every limit that keepalive can serve', () => {
    for (let limit = 3000; limit < 3_600_000; limit *= 1.3) {
      const { settings } = recommend(
        conclude(measurement([trial(limit, 'survived'), trial(limit + 400, 'silent')])),
      );
      if (settings === undefined) throw new Error('no settings');
      expect(settings.idle + 2 * settings.interval, String(limit)).to.be.at.most(limit);
      expect(settings.probeAfterIdle ?? 10_000).to.be.below(limit);
    }
  });

  it('is a heartbeat and no environment where the server wants payload', () => {
    const { finding } = conclude(measurement(cutAfter3s, { control: { fate: 'cut', at: 3010 } }));
    const found = recommend({ finding, isSettled: true, contradicted: 0 });
    expect(environmentLines(found)).to.deep.equal([]);
    expect(found.heartbeatInterval).to.equal(1500);
    expect(found.notes.join('\n')).to.include('heartbeat');
  });

  it('leaves the defaults alone where the path is patient', () => {
    const found = recommend(conclude(measurement([trial(600_000, 'survived')])));
    expect(environmentLines(found)).to.deep.equal([]);
    expect(found.notes.join('\n')).to.include('defaults suit');
  });
});
