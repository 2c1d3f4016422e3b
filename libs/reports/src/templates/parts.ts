import type { ReasonCount } from '../content.js';
import { small, table } from './blocks.js';
import type { Context } from './context.js';
import { html, type HtmlValue, oneLine } from './html.js';
import { plainTable } from './plain.js';
import { formOf, type Forms } from './words.js';

/** `1,200 messages` */
export function counted(context: Context, count: number, forms: Forms): string {
  return `${context.format.number(count)} ${formOf(context.settings.language, count, forms)}`;
}

/** Into the admin UI. */
export function mailingUrl({ settings }: Context, id: number): string {
  return `${settings.publicUrl}/admin/#/mailings/${id}/show`;
}

/** `no answer came in time (timeout)`; a code without a text stays as it is. */
export function reasonText({ words }: Context, code: string): string {
  const status = /^http_(\d{3})$/.exec(code)?.[1];
  const known = Object.hasOwn(words.codes, code) ? words.codes[code] : undefined;
  const text = status === undefined ? known : words.httpAnswer(status);
  return text === undefined ? oneLine(code, 60) : `${text} (${code})`;
}

export function reasonsTable(context: Context, reasons: readonly ReasonCount[]): HtmlValue {
  const { words, format } = context;
  return table(
    [{ label: words.reason }, { label: words.attemptsTitle }],
    reasons.map(({ code, attempts, detail }) => [
      html`<b style="font-weight:600;">${reasonText(context, code)}</b
        >${detail !== null && small(oneLine(detail, 160))}`,
      format.number(attempts),
    ]),
  );
}

export function plainReasons(context: Context, reasons: readonly ReasonCount[]): string {
  const { words, format } = context;
  if (reasons.length === 0) return '';
  const rows = reasons.map(({ code, attempts, detail }) => [
    `  ${reasonText(context, code)}${detail === null ? '' : `: ${oneLine(detail, 60)}`}`,
    format.number(attempts),
  ]);
  return `${words.reasons}:\n${plainTable(rows)}`;
}
