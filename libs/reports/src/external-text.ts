/** Characters of an answer or an error that are kept: for people, who need no more. */
export const MOST_KEPT = 500;

/**
 * Text from outside, made safe to store: cut before it is looked at, without NUL and other
 * control characters (Postgres cannot store the first, people cannot read the others), well-formed.
 */
export function storableText(text: string, most = MOST_KEPT): string {
  return text
    .slice(0, most)
    .replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\uFFFD')
    .toWellFormed();
}

/** The same in a form that every database takes, whatever its encoding. */
export function asciiText(text: string): string {
  return text.replaceAll(/[^\t\n\r\u0020-\u007e]/g, '?');
}
