/** How high a chart is, in its values. */

/** What the axis spans: a little more than the values, and for a flat line enough to see that it is flat. */
export function heightOf(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const slack = (high - low) * 0.12 || Math.abs(high) * 0.02 || 1;
  // What is never negative should not look as if it might be.
  return [low >= 0 ? Math.max(0, low - slack) : low - slack, high + slack];
}
