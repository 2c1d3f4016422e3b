import { canonicalName } from '@app/platform';

const LENGTH = 60;

/**
 * A mailing's name when none is given: the first 60 characters (code points) of its text, in
 * one line.
 */
export function nameOfText(text: string): string {
  // Only so much of a long text is read as 60 characters between white space may need.
  const line = canonicalName(text.slice(0, 8_192).toWellFormed().replaceAll(/\s+/g, ' '));
  return Array.from(line).slice(0, LENGTH).join('').trim();
}
