import { canonicalName } from '@app/platform';

const LENGTH = 60;

/**
 * What a mailing is called when nobody says: the first 60 characters (code points) of its text, in
 * one line.
 */
export function nameOfText(text: string): string {
  // No more of a long text is looked at than what white space may hide 60 characters in.
  const line = canonicalName(text.slice(0, 8_192).toWellFormed().replaceAll(/\s+/g, ' '));
  return Array.from(line).slice(0, LENGTH).join('').trim();
}
