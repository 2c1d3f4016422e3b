import {
  type Activity,
  type DailyContent,
  type DailyMailing,
  successRate,
  takesBack,
} from '../content.js';
import {
  bar,
  button,
  colorOfSuccess,
  COLORS,
  faint,
  type Figure,
  figures,
  hero,
  link,
  page,
  paragraph,
  section,
  small,
  table,
} from './blocks.js';
import type { Context, Rendered } from './context.js';
import { html, type HtmlValue, oneLine } from './html.js';
import { counted, mailingUrl, plainReasons, reasonsTable } from './parts.js';
import { plainTable, plainText } from './plain.js';
import type { Words } from './words.js';

const OUTCOMES = ['sent', 'failed', 'expired', 'unknown'] as const;

export function renderDaily(content: DailyContent, context: Context): Rendered {
  const { words, format, settings, footer } = context;
  const { totals, date } = content;
  const rate = format.percent(successRate(totals));
  const period = words.period(
    format.moment(content.from),
    format.moment(content.to),
    settings.timezone,
  );
  const sent = counted(context, totals.sent, words.messages);
  const preview = totals.mailings === 0 ? words.nothing : words.sentSummary(sent, rate);
  return {
    subject: `Posthorn, ${format.shortDay(date)}: ${preview}`,
    html: page({
      language: settings.language,
      preview,
      kind: words.daily,
      title: format.day(date),
      subtitle: period,
      color: COLORS.accent,
      body: totals.mailings === 0 ? section(paragraph(words.nothing)) : body(content, context),
      footer: [...legendOf(content, words), ...footer],
    }).text,
    text: plainText(
      `${words.daily}: ${format.day(date)}\n${period}`,
      totals.mailings === 0 ? words.nothing : plainTotals(content, context),
      plainMailings(content, context),
      plainReasons(context, content.reasons),
      `${words.open}: ${settings.publicUrl}/admin/`,
      [...legendOf(content, words), ...footer].join('\n'),
    ),
  };
}

function legendOf({ totals, mailings }: DailyContent, words: Words): string[] {
  const explains = [totals, ...mailings].some(takesBack);
  return explains ? [words.legend, words.legendTakenBack] : [words.legend];
}

function body(content: DailyContent, context: Context): HtmlValue {
  const { words, settings } = context;
  const { totals, reasons, unlisted } = content;
  return [
    section([
      hero(heroFigures(content, context)),
      bar(OUTCOMES.map((outcome) => ({ value: totals[outcome], color: COLORS[outcome] }))),
    ]),
    section(figures(smallFigures(content, context))),
    section(
      [
        mailingsTable(content, context),
        unlisted > 0 && small(html`<br />${words.more(context.format.number(unlisted))}`),
      ],
      counted(context, totals.mailings, words.mailings),
    ),
    reasons.length > 0 && section(reasonsTable(context, reasons), words.reasons),
    section(html`<br />${button(words.open, `${settings.publicUrl}/admin/`)}`),
  ];
}

function heroFigures({ totals, before }: DailyContent, { words, format }: Context): Figure[] {
  const [rate, rateBefore] = [successRate(totals), successRate(before)];
  const points =
    rate === null || rateBefore === null ? null : Math.round((rate - rateBefore) * 1_000) / 10;
  return [
    {
      label: words.sent,
      value: format.number(totals.sent),
      change: `${format.change(totals.sent - before.sent)} ${words.theDayBefore}`,
      color: COLORS.ink,
    },
    {
      label: words.success,
      value: format.percent(rate),
      change: points === null ? '' : `${format.change(points)} ${words.points}`,
      color: colorOfSuccess(rate),
    },
  ];
}

function smallFigures({ totals, before }: DailyContent, { words, format }: Context): Figure[] {
  const figure = (outcome: 'failed' | 'expired' | 'unknown'): Figure => ({
    label: words[outcome],
    value: format.number(totals[outcome]),
    change: format.change(totals[outcome] - before[outcome]),
    color: COLORS[outcome],
  });
  const pending = format.number(totals.pending);
  return [
    figure('failed'),
    figure('expired'),
    figure('unknown'),
    { label: words.pending, value: pending, change: '', color: COLORS.pending },
  ];
}

function mailingsTable(content: DailyContent, context: Context): HtmlValue {
  const { words } = context;
  return table(
    [
      { label: words.mailing },
      { label: words.sent },
      { label: words.failed },
      { label: words.expired, wide: true },
      { label: words.unknown, wide: true },
      { label: words.pending, wide: true },
      { label: words.success },
    ],
    content.mailings.map((mailing) => [
      [
        link(oneLine(mailing.name), mailingUrl(context, mailing.id)),
        small(words.statuses[mailing.status] ?? mailing.status),
      ],
      ...cells(mailing, context).map((value) => (value === '0' ? faint(value) : value)),
    ]),
  );
}

function cells(row: Activity & { pending: number }, { format }: Context): string[] {
  const numbers = [row.sent, row.failed, row.expired, row.unknown, row.pending];
  return [...numbers.map((value) => format.number(value)), format.percent(successRate(row))];
}

function plainTotals(content: DailyContent, context: Context): string {
  const { words } = context;
  const [sent, success] = heroFigures(content, context);
  return plainTable(
    [sent, success, ...smallFigures(content, context)]
      .filter((figure) => figure !== undefined)
      .map(({ label, value, change }) => [label, value, change && `(${change})`]),
  )
    .replaceAll(/^/gm, '  ')
    .concat(`\n  ${counted(context, content.totals.mailings, words.mailings)}`);
}

function plainMailings(content: DailyContent, context: Context): string {
  const { words } = context;
  if (content.mailings.length === 0) return '';
  const head = [
    words.mailing,
    words.sent,
    words.failed,
    words.expired,
    words.unknown,
    words.pending,
    words.success,
  ];
  const row = (mailing: DailyMailing) => [
    `${oneLine(mailing.name, 40)} (${words.statuses[mailing.status] ?? mailing.status})`,
    ...cells(mailing, context),
  ];
  const rows = plainTable([head, ...content.mailings.map(row)]);
  if (content.unlisted === 0) return rows;
  return `${rows}\n${words.more(context.format.number(content.unlisted))}`;
}
