/** How high a chart is, in its values. */

/** What is nearer than that is the same: means are rounded. */
const ROUNDING = 1e-9;

/** What the axis spans: a little more than the values, and for a flat line enough to see that it is flat. */
export function heightOf(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const [spread, size] = [high - low, Math.max(Math.abs(low), Math.abs(high))];
  const slack = (spread > size * ROUNDING ? spread * 0.12 : size * 0.02) || 1;
  // What is never negative should not look as if it might be.
  return [low >= 0 ? Math.max(0, low - slack) : low - slack, high + slack];
}
