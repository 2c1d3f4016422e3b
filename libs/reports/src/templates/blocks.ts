import { html, type HtmlValue, type Markup } from './html.js';

/**
 * The pieces that mails are built from. Tables and inline styles throughout, for all mail clients
 * show these; no images and nothing from elsewhere.
 */

export const COLORS = {
  ink: '#1b2433',
  muted: '#667085',
  line: '#e4e8ee',
  page: '#eef1f5',
  accent: '#1f4fd8',
  sent: '#1a8f62',
  failed: '#cf3a2e',
  expired: '#98a2b3',
  unknown: '#7a5cd0',
  pending: '#d9a13b',
  cancelled: '#c9ced6',
} as const;

const FONT =
  "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

/** A rate of success: what is far from all is not green. Null: there was nothing to succeed in. */
export function colorOfSuccess(rate: number | null): string {
  if (rate === null) return COLORS.muted;
  if (rate >= 0.95) return COLORS.sent;
  return rate >= 0.8 ? COLORS.pending : COLORS.failed;
}

export interface Page {
  language: string;
  /** What inboxes show beside the subject. */
  preview: string;
  kind: string;
  title: string;
  subtitle: string;
  /** The colour of the bar at the top. */
  color: string;
  body: HtmlValue;
  /** Lines of small print. */
  footer: readonly string[];
}

export function page(content: Page): Markup {
  const { language, preview, kind, title, subtitle, color, body, footer } = content;
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light" />
        <title>${title}</title>
        <style>
          @media (max-width: 560px) {
            .wide {
              display: none !important;
            }
            .pad {
              padding-left: 20px !important;
              padding-right: 20px !important;
            }
            .hero {
              font-size: 30px !important;
            }
          }
        </style>
      </head>
      <body style="margin:0;padding:0;background:${COLORS.page};color:${COLORS.ink};${FONT};">
        <div style="display:none;max-height:0;overflow:hidden;">${preview}</div>
        <table
          role="presentation"
          width="100%"
          cellpadding="0"
          cellspacing="0"
          style="background:${COLORS.page};"
        >
          <tr>
            <td align="center" style="padding:28px 12px;">
              <table
                role="presentation"
                width="100%"
                cellpadding="0"
                cellspacing="0"
                style="max-width:680px;background:#ffffff;border:1px solid ${COLORS.line};border-radius:10px;overflow:hidden;"
              >
                <tr>
                  <td style="height:5px;line-height:5px;font-size:0;background:${color};">
                    &nbsp;
                  </td>
                </tr>
                <tr>
                  <td class="pad" style="padding:26px 36px 4px;">
                    <div
                      style="font-size:12px;letter-spacing:1.4px;text-transform:uppercase;color:${COLORS.muted};"
                    >
                      <b style="color:${COLORS.ink};">Posthorn</b> &nbsp;·&nbsp; ${kind}
                    </div>
                    <h1
                      style="margin:10px 0 4px;font-size:24px;line-height:30px;font-weight:650;word-break:break-word;"
                    >
                      ${title}
                    </h1>
                    <div style="font-size:13px;line-height:19px;color:${COLORS.muted};">
                      ${subtitle}
                    </div>
                  </td>
                </tr>
                ${body}
                <tr>
                  <td class="pad" style="padding:20px 36px 26px;">
                    <div
                      style="border-top:1px solid ${COLORS.line};padding-top:14px;font-size:12px;line-height:18px;color:${COLORS.muted};"
                    >
                      ${footer.map((line) => html`<div style="padding-bottom:4px;">${line}</div>`)}
                    </div>
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html> `;
}

export function section(body: HtmlValue, title?: string): Markup {
  return html`<tr>
    <td class="pad" style="padding:18px 36px 0;">
      ${title !== undefined && html`<h2 style="margin:6px 0 8px;font-size:14px;line-height:20px;font-weight:650;">${title}</h2>`}
      ${body}
    </td>
  </tr>`;
}

export function paragraph(text: string, strong = false): Markup {
  const style = strong
    ? `font-size:17px;line-height:25px;color:${COLORS.ink}`
    : `font-size:14px;line-height:21px;color:${COLORS.muted}`;
  return html`<p style="margin:0 0 8px;${style};">${text}</p>`;
}

export interface Figure {
  label: string;
  value: string;
  /** Against the day before; empty: nothing to compare with. */
  change: string;
  color: string;
}

/** The two figures that matter most. */
export function hero(figures: readonly Figure[]): Markup {
  const width = Math.floor(100 / figures.length);
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0">
    <tr>
      ${figures.map(
        ({ label, value, change, color }) =>
          html`<td width="${width}%" style="vertical-align:top;padding-right:16px;">
            <div
              class="hero"
              style="font-size:38px;line-height:44px;font-weight:700;color:${color};white-space:nowrap;"
            >
              ${value}
            </div>
            <div style="font-size:13px;line-height:18px;color:${COLORS.muted};">${label}</div>
            ${change !== '' && small(change)}
          </td>`,
      )}
    </tr>
  </table>`;
}

export function figures(list: readonly Figure[]): Markup {
  const width = Math.floor(100 / list.length);
  const compared = list.some(({ change }) => change !== '');
  return html`<table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    style="border:1px solid ${COLORS.line};border-radius:8px;border-collapse:separate;"
  >
    <tr>
      ${list.map(
        ({ label, value, change, color }, index) =>
          html`<td
            width="${width}%"
            style="padding:12px 14px;vertical-align:top;${index > 0 && `border-left:1px solid ${COLORS.line};`}"
          >
            <div style="font-size:12px;line-height:16px;color:${COLORS.muted};white-space:nowrap;">
              <span style="color:${color};">&#9679;</span> ${label}
            </div>
            <div style="font-size:20px;line-height:27px;font-weight:650;white-space:nowrap;">
              ${value}
            </div>
            ${compared && small(change === '' ? html`&nbsp;` : change)}
          </td>`,
      )}
    </tr>
  </table>`;
}

/** Parts of a whole as one bar; nothing when all of them are 0. */
export function bar(parts: readonly { value: number; color: string }[]): HtmlValue {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  if (total === 0) return null;
  return html`<table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    style="margin:14px 0 4px;border-collapse:collapse;"
  >
    <tr>
      ${parts
        .filter(({ value }) => value > 0)
        .map(
          ({ value, color }) =>
            html`<td
              width="${share(value, total)}%"
              style="height:10px;line-height:10px;font-size:0;background:${color};"
            >
              &nbsp;
            </td>`,
        )}
    </tr>
  </table>`;
}

/** A part above 0 is visible: never less than half a per cent. */
function share(value: number, total: number): string {
  return Math.max(0.5, (100 * value) / total).toFixed(1);
}

export interface Column {
  label: string;
  /** Left out on small screens. */
  wide?: boolean;
}

/** The first column is text, the others are figures. */
export function table(columns: readonly Column[], rows: readonly (readonly HtmlValue[])[]): Markup {
  const cell = (index: number) =>
    index === 0
      ? 'text-align:left;padding:8px 8px 8px 0;'
      : 'text-align:right;padding:8px 0 8px 10px;white-space:nowrap;';
  return html`<table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    style="border-collapse:collapse;font-size:13px;line-height:18px;"
  >
    <tr>
      ${columns.map(
        ({ label, wide }, index) =>
          html`<th${wide === true && html` class="wide"`} style="${cell(index)}font-size:11px;font-weight:600;color:${COLORS.muted};border-bottom:1px solid ${COLORS.line};">${label}</th>`,
      )}
    </tr>
    ${rows.map(
      (row) =>
        html`<tr>
          ${row.map(
            (value, index) =>
              html`<td${columns[index]?.wide === true && html` class="wide"`} style="${cell(index)}border-bottom:1px solid ${COLORS.line};vertical-align:top;${index === 0 && 'word-break:break-word;'}">${value}</td>`,
          )}
        </tr> `,
    )}
  </table>`;
}

export function link(text: string, url: string): Markup {
  return html`<a href="${url}" style="color:${COLORS.accent};text-decoration:none;">${text}</a>`;
}

export function button(text: string, url: string): Markup {
  return html`<table role="presentation" cellpadding="0" cellspacing="0">
    <tr>
      <td style="border-radius:7px;background:${COLORS.accent};">
        <a
          href="${url}"
          style="display:inline-block;padding:10px 20px;font-size:14px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none;"
          >${text}</a
        >
      </td>
    </tr>
  </table>`;
}

/** Zeros are grey, for there are many. */
export function faint(text: string): Markup {
  return html`<span style="color:#b3bac5;">${text}</span>`;
}

export function small(text: HtmlValue): Markup {
  return html`<div style="font-size:12px;line-height:17px;color:${COLORS.muted};">${text}</div>`;
}
