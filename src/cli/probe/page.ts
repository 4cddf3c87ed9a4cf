import { formatAddress } from '../arguments.js';
import { packageVersion } from '../version.js';
import { element, escapeMarkup } from './markup.js';
import { pageStyle } from './page-style.js';
import { closePlot, overviewPlot } from './plot.js';
import { environmentLines } from './recommendation.js';
import type { ProbeReport } from './report.js';
import { caveats, fateWords, findingSentence, shortDuration, silenceWords, trialWords } from './words.js';

/** The result as one page that needs nothing from anywhere else. */
export function probePage(report: ProbeReport): string {
  const { target, conclusion, measurement, recommendation, trials } = report;
  const address = formatAddress(target);
  const notes = [...caveats(conclusion, measurement.interrupted), ...recommendation.notes];
  const close = closePlot(report);
  const body = [
    element('h1', {}, escapeMarkup(`Idle flows to ${address}`)),
    element('p', { class: 'finding', id: 'finding' }, escapeMarkup(findingSentence(conclusion.finding))),
    list(notes),
    figure(
      overviewPlot(report),
      'Every trial: how long a connection was silent, and what then became of it.',
    ),
    close === '' ? '' : figure(close, 'The same near the limit.'),
    settings(environmentLines(recommendation)),
    trialTable(report),
    element('p', { class: 'small' }, escapeMarkup(colophon(report))),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(`holdfast probe: ${address}`)}</title>
<style>${pageStyle}</style>
</head>
<body data-trials="${trials.length}">
<main>
${body.filter(part => part !== '').join('\n')}
</main>
</body>
</html>
`;
}

function figure(plot: string, caption: string): string {
  return element('figure', {}, plot, element('figcaption', {}, escapeMarkup(caption)));
}

function list(notes: readonly string[]): string {
  if (notes.length === 0) return '';
  return element('ul', {}, ...notes.map(note => element('li', {}, escapeMarkup(note))));
}

function settings(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return element('h2', {}, 'Recommended settings') + element('pre', {}, escapeMarkup(lines.join('\n')));
}

function trialTable({ trials }: ProbeReport): string {
  const row = (cells: readonly string[], name: string, kind = ''): string =>
    element(
      'tr',
      kind === '' ? {} : { class: kind },
      ...cells.map(cell => element(name, {}, escapeMarkup(cell))),
    );
  const rows = trials.map(trial => {
    return row([silenceWords(trial), fateWords[trial.fate], trialWords(trial)], 'td', trial.fate);
  });
  const head = element('thead', {}, row(['Silence', 'Fate', ''], 'th'));
  return element('h2', {}, 'Trials') + element('table', {}, head, element('tbody', {}, ...rows));
}

function colophon({ target, measurement, trials }: ProbeReport): string {
  const took = shortDuration(Math.round(measurement.elapsed / 1000) * 1000);
  const control = `The control, with keepalive, was ${controlWords[measurement.control.fate]} after ${shortDuration(Math.round(measurement.control.at / 100) * 100)}.`;
  const where = target.address === target.host ? '' : ` to ${target.address}`;
  return `${trials.length} connections${where}, measured in ${took}. ${control} holdfast ${packageVersion()}.`;
}

const controlWords = {
  alive: 'alive',
  closed: 'closed by a FIN',
  cut: 'reset',
  lost: 'lost',
} as const;
