/** Texts of a provider, made safe to store and to show. */
const EXCERPT_BYTES = 1_024;
const DETAIL_CHARS = 300;
/** Enough that a secret which begins inside the excerpt is seen whole and masked as a whole. */
const READ_BYTES = 8 * EXCERPT_BYTES;

const MASK = '***';

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

/** Secrets that the provider may echo. */
export interface Secrets {
  token?: string | undefined;
  phone?: string | undefined;
}

function masked(text: string, { token, phone }: Secrets): string {
  let result = token ? text.replaceAll(token, MASK) : text;
  result = maskJwts(maskBearer(result));
  return phone ? maskPhone(result, phone) : result;
}

/** Each run of white space and each word is read once: none of these can begin inside another. */
const BEARER = /\b(bearer)(\s+)([^\s"'<>,;]+)/gi;

function maskBearer(text: string): string {
  return text.replace(BEARER, `$1$2${MASK}`);
}

/** Anything that looks like a JWT: `eyJ…`, then one or two more parts behind dots. */
function maskJwts(text: string): string {
  return text.replace(/[\w.-]+/g, (word) => {
    if (!word.includes('.') || !/eyj/i.test(word)) return word;
    const parts = word.split('.');
    const kept: string[] = [];
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] ?? '';
      const begins = part.search(/(?<!\w)eyJ[\w-]{6}/i);
      const isToken = begins >= 0 && (parts[at + 1] ?? '') !== '';
      kept.push(isToken ? part.slice(0, begins) + MASK : part);
      if (isToken) at += 2;
    }
    return kept.join('.');
  });
}

/**
 * The number as people and programs write it: +7 (999) 123-45-67, 8 999 1234567, 9991234567. The
 * digits are looked at without what stands between them, so that a long run of separators costs one
 * look and not one for each of its characters.
 */
function maskPhone(text: string, phone: string): string {
  const wanted = phone.replace(/\D/g, '').slice(-10);
  if (wanted === '') return text;
  return text.replace(/\+?\d(?:[\s().-]*\d)*/g, (group) => {
    const places: number[] = [];
    let digits = '';
    for (let index = 0; index < group.length; index++) {
      const char = group[index] ?? '';
      if (char < '0' || char > '9') continue;
      places.push(index);
      digits += char;
    }
    let result = '';
    let from = 0;
    for (
      let at = digits.indexOf(wanted);
      at >= 0;
      at = digits.indexOf(wanted, at + wanted.length)
    ) {
      const hasPrefix = at > 0 && /[78]/.test(digits[at - 1] ?? '');
      const first = at === 1 && hasPrefix ? 0 : (places[hasPrefix ? at - 1 : at] ?? 0);
      result += group.slice(from, Math.max(first, from)) + MASK;
      from = (places[at + wanted.length - 1] ?? 0) + 1;
    }
    return result + group.slice(from);
  });
}
