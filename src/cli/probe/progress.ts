import { SingleBar } from 'cli-progress';
import { formatDuration } from '../../options/durations.js';
import type { Channel } from '../terminal.js';
import type { Progress } from './measure.js';
import type { Bracket } from './plan.js';
import { fateWords, shortDuration, trialWords } from './words.js';

/** Shows how a measurement goes on. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Leaves the line to what comes next. */
  end(): void;
}

/** A bar on a terminal; elsewhere (a log, CI) one line for each trial that ends. */
export function progressView(title: string, err: Channel): ProgressView {
  return err.isTTY ? barView(title) : lineView(title, err);
}

function barView(title: string): ProgressView {
  const bar = new SingleBar({
    format: `${title} [{bar}] {percentage}%  about {left} left  {known}  {open} open`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 20,
    hideCursor: false,
    clearOnComplete: true,
    stopOnComplete: false,
    gracefulExit: false,
    linewrap: false,
  });
  let shown = 0;
  bar.start(1000, 0, { left: '?', known: '', open: 0 });
  return {
    update({ elapsed, left, bracket, open }) {
      // An estimate may grow; a bar that goes backwards only confuses.
      shown = Math.max(shown, Math.min(999, Math.round((1000 * elapsed) / (elapsed + left))));
      bar.update(shown, { left: wholeSeconds(left), known: knownSoFar(bracket), open });
    },
    end: () => bar.stop(),
  };
}

function lineView(title: string, err: Channel): ProgressView {
  err.line(`${title}: measuring`);
  return {
    update({ trial, left, bracket }) {
      if (trial === undefined) return;
      const what =
        trial.fate === 'failed'
          ? trialWords(trial)
          : `${shortDuration(trial.silence)} ${fateWords[trial.fate]}`;
      err.line(`${title}: ${what}; ${knownSoFar(bracket)}; about ${wholeSeconds(left)} left`);
    },
    end: () => undefined,
  };
}

function knownSoFar({ low, high }: Bracket): string {
  const lost = high === undefined ? 'nothing lost' : `lost at ${shortDuration(high)}`;
  return low === 0 ? lost : `survived ${shortDuration(low)}, ${lost}`;
}

function wholeSeconds(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return formatDuration(seconds * 1000);
  return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}
