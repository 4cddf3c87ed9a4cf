import { expect } from 'chai';
import { probePage } from '../../../../src/cli/probe/page.js';
import { printReport, reportJson, type ProbeReport } from '../../../../src/cli/probe/report.js';
import { channel } from '../../../../src/cli/terminal.js';
import { forgetting, reportOf, trial } from './sample.js';

function print(report: ProbeReport, { isTTY = false, env = {} } = {}): string {
  let text = '';
  printReport(report, channel({ isTTY, write: (chunk: string) => (text += chunk) }, env));
  return text;
}

describe('a probe’s result as text', () => {
  it('says what was found, shows every trial by silence, and the lines for the environment', () => {
    const text = print(reportOf(forgetting)).replace(/(aws-nlb), .*/, '$1'); // the list of presets may grow
    expect(text.split('\n')).to.deep.equal([
      'db.internal:5432',
      'The path forgets an idle flow after about 350s (between 342s and 358s), and answers its next packet with a reset.',
      '',
      '  silence  fate',
      '  1s       survived            answered within 4 ms',
      '  1m       survived            answered within 4 ms',
      '  342s     survived            answered within 4 ms',
      '  358s     reset by the probe',
      '  371s     reset by the probe',
      '',
      'Recommended settings:',
      'HOLDFAST_KEEPALIVE_IDLE=114s',
      'HOLDFAST_KEEPALIVE_INTERVAL=10s',
      'HOLDFAST_KEEPALIVE_COUNT=3',
      '',
      '- a control connection with keepalive outlived the limit',
      '- known for about this limit: aws-nat-gateway, aws-nlb',
      '',
    ]);
  });

  it('is coloured on a terminal only, and not where NO_COLOR is set', () => {
    const escape = '\u001b[';
    expect(print(reportOf(forgetting), { isTTY: true })).to.include(escape);
    expect(print(reportOf(forgetting), { isTTY: true, env: { NO_COLOR: '1' } })).to.not.include(escape);
    expect(print(reportOf(forgetting))).to.not.include(escape);
  });

  it('says when it was interrupted', () => {
    expect(print(reportOf([trial(1000, 'survived')], { interrupted: true }))).to.include('(interrupted: ');
  });
});

describe('a probe’s result as JSON', () => {
  it('has every field, null where nothing is known', () => {
    const found = JSON.parse(reportJson(reportOf([trial(1000, 'survived')]))) as Record<string, unknown>;
    expect(found).to.have.all.keys(
      ...['schema', 'command', 'version', 'target', 'finding', 'settled', 'interrupted', 'contradicted'],
      ...['control', 'trials', 'recommendation', 'elapsed'],
    );
    expect(found['trials']).to.deep.equal([
      { asked: 1000, silence: 1000, fate: 'survived', roundTrip: 3.2, reason: null },
    ]);
    expect(found['recommendation']).to.have.property('heartbeatInterval', null);
  });
});

describe('a probe’s result as a page', () => {
  const page = probePage(reportOf(forgetting));

  it('shows each trial as a mark and as a row, and the figures in words', () => {
    expect(page.match(/<circle /g)).to.have.length(4); // three survivors, one of them again in the close view
    expect(page.match(/<tr class="(?:survived|reset)">/g)).to.have.length(5);
    expect(page).to.include('forgotten after 350s').and.to.include('HOLDFAST_KEEPALIVE_IDLE=114s');
  });

  it('asks for nothing from anywhere', () => {
    expect(page).to.not.match(/\b(?:src|href|url|import)\b\s*[=(]/i);
    expect(page).to.not.include('<script');
    expect(page.match(/https?:/g)).to.equal(null);
  });

  it('can’t be written into by what a server or a user calls itself', () => {
    const evil = '"><script>alert(1)</script>';
    const { conclusion, recommendation } = reportOf([trial(0, 'failed', { reason: evil })]);
    const report = reportOf([trial(0, 'failed', { reason: evil })]);
    expect(conclusion.finding.kind).to.equal('unclear');
    expect(recommendation.settings).to.equal(undefined);
    expect(probePage({ ...report, target: { ...report.target, host: evil } })).to.not.include('<script');
  });

  it('draws every kind of finding', () => {
    const kinds = [
      [trial(1000, 'survived')],
      [trial(2500, 'survived'), trial(3001, 'closed'), trial(3005, 'closed')],
      [trial(2500, 'survived'), trial(3001, 'cut'), trial(3005, 'cut')],
      [trial(1000, 'silent'), trial(1020, 'silent')],
      [trial(0, 'failed', { reason: 'refused' })],
      [],
    ];
    for (const trials of kinds) {
      for (const interrupted of [false, true]) {
        expect(probePage(reportOf(trials, { interrupted })))
          .to.include('<svg')
          .and.to.not.match(/NaN|undefined/);
      }
    }
  });
});
