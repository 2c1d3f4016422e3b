import { createHash } from 'node:crypto';
import { DomainError } from '@app/platform';

/**
 * The strong entity tag of a resource as it is answered: it changes with every field, and only then.
 * Counts are no fields of a resource, so that a mailing's tag does not change with every message.
 */
export function entityTagOf(resource: object): string {
  const digest = createHash('sha256').update(JSON.stringify(resource)).digest('base64url');
  return `"${digest.slice(0, 22)}"`;
}

/** `*`, or tags of which one must be the resource's. */
export type IfMatch = '*' | readonly string[];

const MALFORMED = 'must be "*", or entity tags in double quotes, separated by commas';
/** A tag with the white space and the comma that may follow it. */
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?:,[\t ,]*|$)/y;

/**
 * Reads the header `If-Match` (RFC 9110, 13.1.1). Weak tags are left out: they never match there.
 *
 * @throws DomainError `invalid`
 */
export function parseIfMatch(header: string): IfMatch {
  const text = header.trim().replace(/^[\t ,]+/, '');
  if (text === '*') return '*';
  const tags: string[] = [];
  let at = 0;
  while (at < text.length) {
    TAG.lastIndex = at;
    const match = TAG.exec(text);
    const tag = match?.[2];
    if (!match || tag === undefined) throw malformed();
    if (match[1] === undefined) tags.push(tag);
    at = TAG.lastIndex;
  }
  if (at === 0) throw malformed();
  return tags;
}

/** @throws DomainError `precondition_failed` when the resource is not the one that was meant. */
export function assertMatches(ifMatch: IfMatch | undefined, resource: object): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch.includes(entityTagOf(resource))) return;
  throw new DomainError(
    'precondition_failed',
    'It has changed since you read it: read it again, and repeat your change if it still makes sense',
  );
}

function malformed(): DomainError {
  return new DomainError('invalid', 'The If-Match is not usable', [
    { path: 'If-Match', message: MALFORMED },
  ]);
}
