import { formatDuration } from '../../options/durations.js';
import { linearScale, logScale, type Scale } from './axis.js';
import { element, escapeMarkup } from './markup.js';
import type { Fate } from './plan.js';
import type { ProbeReport } from './report.js';
import type { TrialReport } from './trial.js';
import { fateWords, shortDuration } from './words.js';

const WIDTH = 760;
const LEFT = 140;
const RIGHT = WIDTH - 24;
const LANE = 34;
const TOP = 30;
const LANES: readonly Fate[] = ['survived', 'reset', 'silent', 'closed', 'cut'];

/** The whole range of silences, one lane for each fate; the axis is logarithmic. */
export function overviewPlot(report: ProbeReport): string {
  const silences = plotted(report).map(({ silence }) => silence);
  const first = Math.min(1000, ...silences) * 0.85;
  const last = Math.max(2000, ...silences) * 1.2;
  return plot(report, logScale(first, last, LEFT, RIGHT), 'Silence against fate, whole range, logarithmic');
}

/** The neighbourhood of the limit; empty where there is no limit to look at. */
export function closePlot(report: ProbeReport): string {
  const { finding } = report.conclusion;
  if (finding.kind !== 'forgets') return '';
  const margin = Math.max(finding.high - finding.low, finding.high * 0.05) * 1.5;
  const [first, last] = [Math.max(0, finding.low - margin), finding.high + margin];
  return plot(report, linearScale(first, last, LEFT, RIGHT), 'Silence against fate, near the limit', [
    first,
    last,
  ]);
}

function plot(
  report: ProbeReport,
  scale: Scale,
  title: string,
  range: readonly [number, number] = [0, Infinity],
): string {
  const trials = plotted(report).filter(({ silence }) => silence >= range[0] && silence <= range[1]);
  const lanes = LANES.filter(fate => fate === 'survived' || trials.some(trial => trial.fate === fate));
  const bottom = TOP + lanes.length * LANE;
  const marks = trials.map(trial => mark(trial, scale.at(trial.silence), laneAt(lanes.indexOf(trial.fate))));
  return element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${bottom + 36}`, role: 'img', 'aria-label': title },
    element('title', {}, escapeMarkup(title)),
    limit(report, scale, bottom, range),
    ...lanes.map((fate, index) => lane(fate, laneAt(index))),
    ...scale.ticks.map(tick => tickMark(scale.at(tick), bottom, tick)),
    element('text', { x: RIGHT, y: bottom + 32, class: 'axis', 'text-anchor': 'end' }, 'silence'),
    ...marks,
  );
}

function plotted({ trials }: ProbeReport): TrialReport[] {
  return trials.filter(({ fate }) => fate !== 'failed');
}

function laneAt(index: number): number {
  return TOP + index * LANE + LANE / 2;
}

function lane(fate: Fate, y: number): string {
  return (
    element('line', { x1: LEFT, x2: RIGHT, y1: y, y2: y, class: 'lane' }) +
    element(
      'text',
      { x: LEFT - 14, y: y + 4, class: 'label', 'text-anchor': 'end' },
      escapeMarkup(fateWords[fate]),
    )
  );
}

function tickMark(x: number, y: number, tick: number): string {
  return (
    element('line', { x1: x, x2: x, y1: TOP, y2: y, class: 'grid' }) +
    element('text', { x, y: y + 16, class: 'axis', 'text-anchor': 'middle' }, formatDuration(tick))
  );
}

/** The band the true limit lies in, and its figure. */
function limit(
  { conclusion: { finding } }: ProbeReport,
  scale: Scale,
  bottom: number,
  range: readonly [number, number],
): string {
  const box = (low: number, high: number, label: string): string => {
    const [from, to] = [scale.at(Math.max(low, range[0])), scale.at(high)];
    const middle = Math.min(RIGHT - 40, Math.max(LEFT + 40, (from + to) / 2));
    return (
      element('rect', {
        x: from,
        y: TOP - 6,
        width: Math.max(2, to - from),
        height: bottom - TOP + 6,
        class: 'limit',
      }) +
      element(
        'text',
        { x: middle, y: TOP - 12, class: 'limit-label', 'text-anchor': 'middle' },
        escapeMarkup(label),
      )
    );
  };
  switch (finding.kind) {
    case 'forgets':
      return box(finding.low, finding.high, `forgotten after ${shortDuration(finding.estimate)}`);
    case 'server-closes':
      return box(finding.after, finding.after, `server closes after ${shortDuration(finding.after)}`);
    case 'resets':
      return box(finding.after, finding.after, `reset after ${shortDuration(finding.after)}`);
    case 'remembers':
    case 'unclear':
      return '';
  }
}

/** Each fate has a shape of its own, so that colour is never the only difference. */
function mark(trial: TrialReport, x: number, y: number): string {
  const shapes: Readonly<Record<Fate, string>> = {
    survived: element('circle', { cx: x, cy: y, r: 5 }),
    reset: element('path', { d: path(x, y, 'M-5 -5 L5 5 M5 -5 L-5 5') }),
    silent: element('rect', { x: x - 4.5, y: y - 4.5, width: 9, height: 9 }),
    closed: element('path', { d: path(x, y, 'M0 -6 L6 0 L0 6 L-6 0 Z') }),
    cut: element('path', { d: path(x, y, 'M0 -6 L6 5 L-6 5 Z') }),
    failed: '',
  };
  const label = `${shortDuration(trial.silence)}: ${fateWords[trial.fate]}`;
  return element(
    'g',
    { class: `mark ${trial.fate}` },
    element('title', {}, escapeMarkup(label)),
    shapes[trial.fate],
  );
}

/** Moves a path's coordinates by (x, y). */
function path(x: number, y: number, shape: string): string {
  return shape.replace(/(-?\d+) (-?\d+)/g, (_, dx: string, dy: string) => {
    return `${(x + Number(dx)).toFixed(1)} ${(y + Number(dy)).toFixed(1)}`;
  });
}
