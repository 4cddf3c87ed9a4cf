/** Turns a silence into a place on the horizontal axis. */
export interface Scale {
  at(ms: number): number;
  readonly ticks: readonly number[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ROUND_SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30];
const ROUND_TIMES = [
  ...ROUND_SECONDS.map(n => n * SECOND),
  ...[1, 2, 5, 10, 20, 30].map(n => n * MINUTE),
  ...[1, 2, 6, 12, 24].map(n => n * HOUR),
];
const STEPS = [10, 20, 50, 100, 200, 500, ...ROUND_TIMES.filter(time => time >= SECOND)];
const MOST_TICKS = 8;

export function logScale(first: number, last: number, left: number, right: number): Scale {
  const span = Math.log(last / first);
  return {
    at: ms => left + (Math.log(Math.min(last, Math.max(first, ms)) / first) / span) * (right - left),
    ticks: ROUND_TIMES.filter(time => time >= first && time <= last),
  };
}

export function linearScale(first: number, last: number, left: number, right: number): Scale {
  const step = STEPS.find(each => (last - first) / each <= MOST_TICKS) ?? HOUR;
  const ticks: number[] = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return { at: ms => left + ((ms - first) / (last - first)) * (right - left), ticks };
}
