import type { Queryable } from '@app/database';
import type { DailyContent, DailyTotals } from '../content.js';
import { toCsv } from './csv.js';
import { readActiveMailings, readReasons, readTotals } from './daily.queries.js';
import { type Period, periodBefore } from '../report-day.js';
import type { ReportSettings } from '../settings.js';

/** Mailings that are listed; the rest is in the totals and in the attachment. */
const MOST_LISTED = 50;
/** A megabyte of CSV. */
const MOST_IN_CSV = 10_000;
const MOST_REASONS = 10;

export interface Daily {
  content: DailyContent;
  /** CSV, one line per mailing. */
  attachment: string;
}

/** Writes the daily report of a period as it is known now. */
export async function writeDaily(
  db: Queryable,
  date: string,
  period: Period,
  { timezone, language }: Pick<ReportSettings, 'timezone' | 'language'>,
): Promise<Daily> {
  const totals = await readTotals(db, period);
  const earlier = await readTotals(db, periodBefore(period, timezone));
  const mailings = await readActiveMailings(db, period, MOST_IN_CSV);
  const content: DailyContent = {
    kind: 'daily',
    date,
    from: period.from.toISOString(),
    to: period.to.toISOString(),
    totals,
    before: withoutPending(earlier),
    mailings: mailings.slice(0, MOST_LISTED),
    unlisted: Math.max(0, totals.mailings - MOST_LISTED),
    reasons: await readReasons(db, period, null, MOST_REASONS),
  };
  return { content, attachment: toCsv(mailings, language) };
}

/** What is pending now means nothing for the day before. */
function withoutPending({
  mailings,
  sent,
  failed,
  expired,
  cancelled,
  unknown,
}: DailyTotals): DailyTotals {
  return { mailings, sent, failed, expired, cancelled, unknown };
}
