import type { AlertContent, BreakerContent } from '../content.js';
import { button, COLORS, page, paragraph, section } from './blocks.js';
import type { Context, Rendered } from './context.js';
import { html, oneLine } from './html.js';
import { counted, mailingUrl, plainReasons, reasonsTable, reasonText } from './parts.js';
import { plainText } from './plain.js';

/** What differs between alerts; everything else about them is the same. */
interface Alert {
  title: string;
  /** What happened. */
  text: string;
  /** The provider's words. */
  detail: string | null;
  /** What follows from it. */
  next: string;
  good: boolean;
  url: string;
  urlText: string;
}

export function renderAlert(content: AlertContent, context: Context): Rendered {
  const { words, format, settings, footer } = context;
  const alert = alertOf(content, context);
  const reasons = content.kind === 'error_rate' ? content.reasons : [];
  const moment = format.moment(content.at);
  return {
    subject: `Posthorn: ${alert.title}`,
    html: page({
      language: settings.language,
      preview: alert.text,
      kind: words.alert,
      title: alert.title,
      subtitle: `${moment}, ${settings.timezone}`,
      color: alert.good ? COLORS.sent : COLORS.failed,
      body: [
        section([
          paragraph(alert.text, true),
          alert.detail !== null && paragraph(alert.detail),
          paragraph(alert.next),
        ]),
        reasons.length > 0 && section(reasonsTable(context, reasons), words.reasons),
        section(html`<br />${button(alert.urlText, alert.url)}`),
      ],
      footer,
    }).text,
    text: plainText(
      `${words.alert}: ${alert.title}\n${moment}, ${settings.timezone}`,
      [alert.text, alert.detail ?? '', alert.next].filter((line) => line !== '').join('\n'),
      plainReasons(context, reasons),
      `${alert.urlText}: ${alert.url}`,
      footer.join('\n'),
    ),
  };
}

/** The code in the language of the reader, then the provider's words. */
function whyOpen({ reason, detail }: BreakerContent, context: Context): string | null {
  if (reason === null) return null;
  const text = reasonText(context, reason);
  return detail ? `${text}: ${oneLine(detail, 200)}` : text;
}

function alertOf(content: AlertContent, context: Context): Alert {
  const { words, format, settings } = context;
  const home = { url: `${settings.publicUrl}/admin/`, urlText: words.open };
  switch (content.kind) {
    case 'error_rate': {
      const { bad, attempts, minutes, threshold, mailing } = content;
      return {
        title: words.errorRate(format.percent(bad / attempts), oneLine(mailing.name, 60)),
        text: words.errorRateText(
          format.number(bad),
          counted(context, attempts, words.attempts),
          format.duration(minutes * 60_000, words.units),
          format.percent(threshold),
        ),
        detail: null,
        next: words.errorRateNext,
        good: false,
        url: mailingUrl(context, mailing.id),
        urlText: words.openMailing,
      };
    }
    case 'breaker_open':
      return {
        title: words.breakerOpen(oneLine(content.channel)),
        text: words.breakerOpenText(format.moment(content.openedAt)),
        detail: whyOpen(content, context),
        next: content.byHand ? words.breakerOpenByHandNext : words.breakerOpenNext,
        good: false,
        ...home,
      };
    case 'breaker_closed':
      return {
        title: words.breakerClosed(oneLine(content.channel)),
        text: words.breakerClosedText(format.moment(content.openedAt), format.moment(content.at)),
        detail: null,
        next: words.breakerClosedNext,
        good: true,
        ...home,
      };
    case 'token_expiry': {
      const when = format.moment(content.expiresAt);
      return {
        title:
          content.expiresAt > content.at
            ? words.tokenExpires(oneLine(content.channel), when)
            : words.tokenExpired(oneLine(content.channel)),
        text: words.tokenText(when),
        detail: null,
        next: words.tokenNext,
        good: false,
        ...home,
      };
    }
  }
}
