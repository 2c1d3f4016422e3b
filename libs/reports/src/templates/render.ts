import type { ReportContent } from '../content.js';
import type { ReportSettings } from '../settings.js';
import { renderAlert } from './alert.js';
import { renderCompletion } from './completion.js';
import type { Context, Rendered } from './context.js';
import { renderDaily } from './daily.js';
import { Format } from './format.js';
import { oneLine } from './html.js';
import { wordsOf } from './words.js';

/** Renders a report in the language of the settings. The same content always gives the same mail. */
export function render(
  content: ReportContent,
  settings: ReportSettings,
  { possibleDuplicate }: { possibleDuplicate: boolean },
): Rendered {
  const words = wordsOf(settings.language);
  const footer = [...(possibleDuplicate ? [words.possibleDuplicate] : []), words.footer];
  const format = new Format(settings.language, settings.timezone);
  const rendered = renderContent(content, { words, format, settings, footer });
  return { ...rendered, subject: oneLine(rendered.subject, 180) };
}

function renderContent(content: ReportContent, context: Context): Rendered {
  switch (content.kind) {
    case 'daily':
      return renderDaily(content, context);
    case 'completion':
      return renderCompletion(content, context);
    case 'error_rate':
    case 'breaker_open':
    case 'breaker_closed':
    case 'token_expiry':
      return renderAlert(content, context);
  }
}
