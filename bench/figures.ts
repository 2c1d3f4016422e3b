/** @throws RangeError for no values. */
export function median(values: number[]): number {
  return percentile(values, 50);
}

/** Linear between the neighbours. @throws RangeError for no values. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent / 100) * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError('no values');
  return below + (above - below) * (at - Math.floor(at));
}

/** `7,150`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `0.73`. */
export function ratio(value: number): string {
  return value.toFixed(2);
}

/** `7,150 (6,900 to 7,400)`: the median, and what the runs spread over. */
export function spread(values: number[], show: (value: number) => string = whole): string {
  if (values.length === 1) return show(median(values));
  return `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

/** For the line of JSON: no more digits than the measurement has. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
