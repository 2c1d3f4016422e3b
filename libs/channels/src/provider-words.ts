/** What a provider said, made fit to be stored and shown. */
const EXCERPT_BYTES = 1_024;
const DETAIL_CHARS = 300;
/** Enough that a secret which begins inside the excerpt is seen whole and masked as a whole. */
const READ_BYTES = 8 * EXCERPT_BYTES;

const MASK = '***';
const TOKENS = /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?|\b(?<scheme>Bearer\s+)[^\s"'<>,;]+/gi;

/**
 * The beginning of an answer as text: at most 1 KB of UTF-8, without NUL (Postgres has no room for
 * it in a text), what is not UTF-8 replaced, secrets masked. Undefined if the answer is empty.
 */
export function excerptOf(body: Buffer, secrets: Secrets): string | undefined {
  const text = new TextDecoder().decode(body.subarray(0, READ_BYTES), { stream: true });
  const bytes = Buffer.from(masked(text.replaceAll('\0', ''), secrets));
  let end = Math.min(bytes.length, EXCERPT_BYTES);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--; // not inside a character
  return bytes.toString('utf8', 0, end) || undefined;
}

/** One line for people, at most 300 characters, secrets masked. */
export function detailOf(words: string, secrets: Secrets): string {
  const line = masked(words.slice(0, READ_BYTES).replace(/[\s\p{Cc}]+/gu, ' '), secrets)
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .trim();
  if (line.length <= DETAIL_CHARS) return line;
  return `${line.slice(0, DETAIL_CHARS - 1).replace(/\p{Surrogate}$/u, '')}…`;
}

/** What must not be repeated although the provider may echo it. */
export interface Secrets {
  token?: string | undefined;
  phone?: string | undefined;
}

function masked(text: string, { token, phone }: Secrets): string {
  let result = token ? text.replaceAll(token, MASK) : text;
  result = result.replace(TOKENS, `$<scheme>${MASK}`);
  return phone ? result.replace(phonePattern(phone), MASK) : result;
}

/** The number as people and programs write it: +7 (999) 123-45-67, 8 999 1234567, 9991234567. */
function phonePattern(phone: string): RegExp {
  const separators = '[\\s().-]*';
  const digits = phone.replace(/\D/g, '').slice(-10);
  return new RegExp(`(?:\\+?[78])?${digits.replace(/\d/g, `${separators}$&`)}`, 'g');
}
