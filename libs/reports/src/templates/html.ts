/** Markup that is safe to put into a page as it stands. Only `html` makes it. */
export class Markup {
  constructor(readonly text: string) {}
}

export type HtmlValue = Markup | string | number | null | false | readonly HtmlValue[];

/**
 * A piece of HTML: everything that is put into it is escaped, for an attribute too, unless it was
 * made by `html` itself. Null and false are nothing, lists are joined.
 */
export function html(pieces: TemplateStringsArray, ...values: HtmlValue[]): Markup {
  const parts = pieces.map((piece, index) => {
    // The source is indented; the mail is not.
    const literal = piece.replaceAll(/\n\s+/g, '\n');
    return index < values.length ? literal + render(values[index]) : literal;
  });
  return new Markup(parts.join(''));
}

function render(value: HtmlValue | undefined): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escape(String(value));
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters, which a page cannot show. */
function escape(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ');
}

/** One line of at most `most` characters, for a subject, a table or a plain text. */
export function oneLine(text: string, most = 80): string {
  const flat = text.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = Array.from(flat);
  return characters.length <= most ? flat : `${characters.slice(0, most - 1).join('')}…`;
}
