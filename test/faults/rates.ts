/** How many of these moments (ms) fall into one second at the most, wherever it begins. */
export function mostInOneSecond(moments: number[]): number {
  moments.sort((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [index, at] of moments.entries()) {
    while (at - (moments[from] ?? at) >= 1_000) from++;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
