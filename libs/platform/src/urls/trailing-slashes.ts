/** A path or a base URL to which more is appended. A loop, for a regular expression would backtrack. */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end--;
  return text.slice(0, end);
}
