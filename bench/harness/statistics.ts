/** Where the middle, the middle half and the whole of some figures lie. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly least: number;
  readonly most: number;
}

export function median(values: readonly number[]): number {
  return quantile(sorted(values), 0.5);
}

export function spreadOf(values: readonly number[]): Spread {
  const ascending = sorted(values);
  return {
    median: quantile(ascending, 0.5),
    lowerQuartile: quantile(ascending, 0.25),
    upperQuartile: quantile(ascending, 0.75),
    least: quantile(ascending, 0),
    most: quantile(ascending, 1),
  };
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sorted(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}

/** Linear between the two nearest ranks. */
function quantile(ascending: readonly number[], share: number): number {
  const rank = (ascending.length - 1) * share;
  const below = ascending[Math.floor(rank)];
  const above = ascending[Math.ceil(rank)];
  if (below === undefined || above === undefined) throw new Error('no figures to summarise');
  return below + (above - below) * (rank - Math.floor(rank));
}
