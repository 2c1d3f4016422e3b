const LONGEST_SPELLING = 4_096;

/**
 * The one form in which a name that people give (of a tag, a mailing, a key) is stored and compared:
 * NFC, without white space at its ends. What looks the same is the same.
 */
export function canonicalName(name: string): string {
  // Longer than any name: left as it is for a rule to refuse. Normalising it could take for ever.
  if (name.length > LONGEST_SPELLING) return name;
  return name.normalize('NFC').trim();
}

/** Every character that `trim` takes away, for the database's own trigger. */
export const WHITE_SPACE: readonly string[] = Array.from({ length: 0x1_0000 }, (_, code) =>
  String.fromCharCode(code),
).filter((character) => character.trim() === '');
