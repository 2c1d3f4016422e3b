/** Characters of an answer or an error that are kept: for people, who need no more. */
export const MOST_KEPT = 500;

/**
 * What somebody else said, made fit to be stored: cut before it is looked at, without NUL and other
 * control characters (Postgres has no room for the one, a reader none for the others), well-formed.
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
