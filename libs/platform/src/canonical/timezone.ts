import { TIMEZONE_LINKS, TIMEZONES } from './timezone-names.js';

/** Each name of the database in lower case, with its canonical name. */
export const CANONICAL_TIMEZONES: ReadonlyMap<string, string> = new Map([
  ...TIMEZONES.trim()
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name] as const),
  ...TIMEZONE_LINKS.trim()
    .split(/,\s+/)
    .map((pair) => {
      const [alias = '', name = ''] = pair.split(' ');
      return [alias.toLowerCase(), name] as const;
    }),
]);

/**
 * The one name under which a timezone is stored and compared: `Asia/Kolkata` for `asia/calcutta`.
 * The runtime cannot be asked for it: `Intl` gives the old name of a renamed zone.
 *
 * @returns null for what is no timezone, or none that this runtime can compute with. Offsets
 *   (`+03:00`) and abbreviations (`MSK`) are none.
 */
export function canonicalTimezone(name: string): string | null {
  const text = name.trim();
  if (text.length > 64 || !/^[A-Za-z][\w+\-/]*$/.test(text)) return null;
  const canonical = CANONICAL_TIMEZONES.get(text.toLowerCase());
  return canonical === undefined ? newerThanTable(text) : knownToRuntime(canonical);
}

const checked = new Map<string, string | null>();

/** Looked up once for each name of the table: making a formatter takes longer than all else here. */
function knownToRuntime(canonical: string): string | null {
  const before = checked.get(canonical);
  if (before !== undefined) return before;
  const known = nameInRuntime(canonical) === null ? null : canonical;
  checked.set(canonical, known);
  return known;
}

/** A zone that only the runtime knows, by its own name. `Intl` knows abbreviations (`PST`), too. */
function newerThanTable(text: string): string | null {
  const name = nameInRuntime(text);
  if (name === null || (!text.includes('/') && name.toLowerCase() !== text.toLowerCase())) {
    return null;
  }
  return CANONICAL_TIMEZONES.get(name.toLowerCase()) ?? name;
}

function nameInRuntime(zone: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
