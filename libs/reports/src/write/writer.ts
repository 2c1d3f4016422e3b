import { isDatabaseAway, type Queryable } from '@app/database';
import { type Clock, Isolated, type Logger, messageOf } from '@app/platform';
import type { CompletionContent, Ending } from '../content.js';
import { type FinishedMailing, readFinished } from './completion.queries.js';
import { writeDaily } from './daily.js';
import { readReasons } from './daily.queries.js';
import {
  dropUnwritten,
  findUnwritten,
  noteUnwritten,
  readDailyOf,
  type UnwrittenReport,
  writeIfUnwritten,
  type Writing,
} from '../outbox.queries.js';
import { storableText } from '../external-text.js';
import { isTodaySomewhere, lastDay, localDate, type Period, periodOf } from '../report-day.js';
import { recipientsOf } from '../recipients.js';
import type { Now, ReportSettings } from '../settings.js';

const MOST_REASONS = 5;
/** Reports that are written before the mails have their turn again. */
const PAGE = 20;
export const WRITE_TASK = 'report-write';

export interface WriterOptions {
  /** The leader's session: writes. */
  db: Queryable;
  /** Reads what may take a while, so that nothing else has to wait for it. */
  read: Queryable;
  settings: ReportSettings;
  now: Now;
  clock: Clock;
  logger: Logger;
}

/** Writes the content of reports, once: it is the same in every attempt. */
export class ReportWriter {
  private readonly isolated: Isolated<UnwrittenReport>;

  constructor(private readonly options: WriterOptions) {
    this.isolated = new Isolated<UnwrittenReport>({
      task: WRITE_TASK,
      key: ({ id }) => id,
      fields: ({ id, kind, date, mailingId }) => ({ report: id, kind, date, mailing: mailingId }),
      isShared: isDatabaseAway,
      clock: options.clock,
      logger: options.logger,
    });
  }

  /** Writes the oldest that can be written: those that cannot be written delay no other. */
  async run(): Promise<void> {
    for (let after = 0; ;) {
      const page = await findUnwritten(this.options.db, after, PAGE);
      const last = page.at(-1);
      if (!last && after > 0) return;
      const { succeeded } = await this.isolated.run(page, (report) => this.writeOne(report));
      if (succeeded > 0 || !last || page.length < PAGE) return;
      after = last.id;
    }
  }

  /** @throws the error that kept the report from being written, which is stored with it too. */
  private async writeOne(report: UnwrittenReport): Promise<void> {
    const { db, now } = this.options;
    try {
      const writing = await this.write(report);
      if (writing) await writeIfUnwritten(db, report.id, writing);
      else await dropUnwritten(db, report.id);
    } catch (error) {
      if (!isDatabaseAway(error)) {
        const reason = storableText(`It could not be written: ${messageOf(error)}`);
        await noteUnwritten(db, report.id, reason, await now());
      }
      throw error;
    }
  }

  private write(report: UnwrittenReport): Promise<Writing | null> {
    if (report.date !== null) return this.daily(report, report.date);
    if (report.mailingId !== null) return this.completion(report.mailingId);
    throw new Error(`Report ${report.id} (${report.kind}) is about nothing`);
  }

  /**
   * One that comes by itself covers its day. Asked for by hand, today's covers the last day up to
   * now, and an earlier one has the same content again.
   */
  private async daily(report: UnwrittenReport, date: string): Promise<Writing> {
    const { read, settings } = this.options;
    const { timezone } = settings;
    const recipients = recipientsOf(settings.recipients);
    const now = await this.options.now();
    const again = report.requested && date !== localDate(now, timezone);
    const earlier = again ? await readDailyOf(read, date) : null;
    if (earlier) return { ...earlier, recipients };
    const untilNow = report.requested && isTodaySomewhere(date, now);
    const period = untilNow
      ? lastDay(now, timezone)
      : (periodIn(report) ?? periodOf(date, settings));
    return { ...(await writeDaily(read, date, period, settings)), period, recipients };
  }

  /** Null when there is nothing to report: the mailing was deleted, or runs again and will finish again. */
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
    const recipients = recipientsOf(settings.recipients, mailing.reportTo);
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
