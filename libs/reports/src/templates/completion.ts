import { type CompletionContent, successRate } from '../content.js';
import {
  bar,
  button,
  colorOfSuccess,
  COLORS,
  type Figure,
  figures,
  hero,
  page,
  paragraph,
  section,
} from './blocks.js';
import type { Context, Rendered } from './context.js';
import { html, oneLine } from './html.js';
import { counted, mailingUrl, plainReasons, reasonsTable } from './parts.js';
import { plainTable, plainText } from './plain.js';

const OUTCOMES = ['sent', 'failed', 'expired', 'unknown', 'cancelled'] as const;

export function renderCompletion(content: CompletionContent, context: Context): Rendered {
  const { words, format, settings, footer } = context;
  const { mailing, counts, total } = content;
  const name = oneLine(mailing.name, 100);
  const ending = words.endings[content.ending];
  const rate = format.percent(successRate(counts));
  const sent = words.sentOf(format.number(counts.sent), format.number(total));
  const url = mailingUrl(context, mailing.id);
  const times = timesOf(content, context);
  return {
    subject: `Posthorn: ${oneLine(mailing.name, 60)} · ${ending} · ${sent}`,
    html: page({
      language: settings.language,
      preview: `${ending}. ${sent}, ${words.success}: ${rate}.`,
      kind: words.completion,
      title: name,
      subtitle: ending,
      color: content.ending === 'all_done' ? COLORS.sent : COLORS.pending,
      body: [
        section([
          hero(heroFigures(content, context)),
          bar(OUTCOMES.map((outcome) => ({ value: counts[outcome], color: COLORS[outcome] }))),
        ]),
        section(figures(smallFigures(content, context))),
        section(paragraph(times.map(([label, value]) => `${label}: ${value}`).join('  ·  '))),
        content.reasons.length > 0 &&
          section(reasonsTable(context, content.reasons), words.reasons),
        section(html`<br />${button(words.openMailing, url)}`),
      ],
      footer,
    }).text,
    text: plainText(
      `${words.completion}: ${name}\n${ending}`,
      plainTable(plainFigures(content, context).map(({ label, value }) => [`  ${label}`, value])),
      times.map(([label, value]) => `${label}: ${value}`).join('\n'),
      plainReasons(context, content.reasons),
      `${words.openMailing}: ${url}`,
      footer.join('\n'),
    ),
  };
}

/** Without the sentence that goes under the big figure. */
function plainFigures(content: CompletionContent, context: Context): Figure[] {
  const { words, format } = context;
  const [sent, success] = heroFigures(content, context);
  const total = { label: words.total, value: format.number(content.total) };
  return [
    { ...sent, ...total },
    { ...sent, label: words.sent },
    success,
    ...smallFigures(content, context),
  ];
}

function heroFigures({ counts, total }: CompletionContent, context: Context): [Figure, Figure] {
  const { words, format } = context;
  return [
    {
      label: words.outOf(counted(context, total, words.messages)),
      value: format.number(counts.sent),
      change: '',
      color: COLORS.ink,
    },
    {
      label: words.success,
      value: format.percent(successRate(counts)),
      change: '',
      color: colorOfSuccess(successRate(counts)),
    },
  ];
}

function smallFigures({ counts }: CompletionContent, { words, format }: Context): Figure[] {
  return (['failed', 'expired', 'unknown', 'cancelled'] as const).map((outcome) => ({
    label: words[outcome],
    value: format.number(counts[outcome]),
    change: '',
    color: COLORS[outcome],
  }));
}

function timesOf(content: CompletionContent, { words, format }: Context): [string, string][] {
  const took = Date.parse(content.finishedAt) - Date.parse(content.startAt);
  const times: [string, string][] = [
    [words.started, format.moment(content.startAt)],
    [words.ended, format.moment(content.finishedAt)],
  ];
  // One that was cancelled before its start took no time at all.
  return took > 0 ? [...times, [words.took, format.duration(took, words.units)]] : times;
}
