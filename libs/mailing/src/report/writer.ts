import type { Queryable } from '@app/domain';
import type { CompletionContent, Ending } from './content.js';
import { type FinishedMailing, readFinished } from './completion.queries.js';
import { writeDaily } from './daily.js';
import { readReasons } from './daily.queries.js';
import {
  dropUnwritten,
  findUnwritten,
  readDailyOf,
  type UnwrittenReport,
  writeIfUnwritten,
  type Writing,
} from './outbox.queries.js';
import { isTodaySomewhere, lastDay, localDate, type Period, periodOf } from './report-day.js';
import type { Now, ReportSettings } from './settings.js';

const MOST_REASONS = 5;

export interface WriterOptions {
  /** The leader's session: writes. */
  db: Queryable;
  /** Reads what may take a while, so that nothing else has to wait for it. */
  read: Queryable;
  settings: ReportSettings;
  now: Now;
}

/** Gives reports their content, once: from then on they say the same in every attempt. */
export class ReportWriter {
  constructor(private readonly options: WriterOptions) {}

  async run(): Promise<void> {
    const { db } = this.options;
    for (const report of await findUnwritten(db)) {
      const writing = await this.write(report);
      if (writing) await writeIfUnwritten(db, report.id, writing);
      else await dropUnwritten(db, report.id);
    }
  }

  private write(report: UnwrittenReport): Promise<Writing | null> {
    if (report.date !== null) return this.daily(report, report.date);
    if (report.mailingId !== null) return this.completion(report.mailingId);
    throw new Error(`Report ${report.id} (${report.kind}) is about nothing`);
  }

  /**
   * One that comes by itself covers its day. Asked for by hand, today's covers the last day up to
   * now, and an earlier one says again what it said.
   */
  private async daily(report: UnwrittenReport, date: string): Promise<Writing> {
    const { read, settings } = this.options;
    const { timezone } = settings;
    const recipients = [...settings.recipients];
    const now = await this.options.now();
    const again = report.requested && date !== localDate(now, timezone);
    const earlier = again ? await readDailyOf(read, date) : null;
    if (earlier) return { ...earlier, recipients };
    const untilNow = report.requested && isTodaySomewhere(date, now);
    const period = untilNow
      ? lastDay(now, timezone)
      : (periodIn(report) ?? periodOf(date, settings));
    return { ...(await writeDaily(read, date, period, timezone)), period, recipients };
  }

  /** Null when there is nothing to report: the mailing is gone, or runs again and will finish anew. */
  private async completion(mailingId: number): Promise<Writing | null> {
    const { read, settings } = this.options;
    const mailing = await readFinished(read, mailingId);
    if (!mailing?.finishedAt) return null;
    const lifetime = { from: new Date(0), to: new Date(mailing.finishedAt.getTime() + 1) };
    const reasons = await readReasons(read, lifetime, mailingId, MOST_REASONS);
    const content: CompletionContent = {
      kind: 'completion',
      mailing: { id: mailing.id, name: mailing.name },
      ending: endingOf(mailing),
      startAt: mailing.startAt.toISOString(),
      endAt: mailing.endAt.toISOString(),
      finishedAt: mailing.finishedAt.toISOString(),
      total: mailing.total,
      counts: mailing.counts,
      reasons,
    };
    const recipients = unique([...settings.recipients, ...mailing.reportTo]);
    return { content, attachment: null, period: null, recipients };
  }
}

function periodIn({ periodFrom: from, periodTo: to }: UnwrittenReport): Period | null {
  return from && to ? { from, to } : null;
}

function endingOf({ status, endedAt, endAt, counts }: FinishedMailing): Ending {
  if (status === 'cancelled') return 'cancelled';
  return counts.expired > 0 || (endedAt !== null && endedAt >= endAt) ? 'end_time' : 'all_done';
}

/** Addresses that differ in nothing but capitals are one. */
function unique(addresses: string[]): string[] {
  return [...new Map(addresses.map((address) => [address.toLowerCase(), address])).values()];
}
