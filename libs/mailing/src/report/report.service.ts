import type { ReportKind } from '@app/domain';
import { DomainError } from '@app/platform';
import type { DataSource } from 'typeorm';
import { decodeCursor, type Page, pageOf } from '../control/cursor.js';
import { databaseOf } from '../control/transaction.js';
import type { DailyContent, ReportContent } from './content.js';
import {
  listReports,
  readReportsOf,
  type ReportRecord,
  requestDailyIfNotFuture,
} from './report.queries.js';

/** More than anybody asks for on one day by hand. */
const MOST_OF_A_DAY = 100;

export interface ReportListQuery {
  kind?: ReportKind;
  limit: number;
  cursor?: string;
}

/** Everything about the daily report of one date. */
export interface ReportDay {
  date: string;
  /** What the one that came by itself says, or else the newest; null while none is written. */
  content: DailyContent | null;
  /** Newest first; one of them at most came by itself. */
  reports: ReportRecord[];
}

/** Reports as a resource. Sending is beat's. */
export class ReportService {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first. */
  async list(query: ReportListQuery): Promise<Page<ReportRecord>> {
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(query.cursor, 1);
    const rows = await listReports(databaseOf(this.dataSource), {
      kind: query.kind ?? null,
      before,
      limit: query.limit + 1,
    });
    return pageOf(rows, query.limit, (report) => [report.id]);
  }

  /** @param date `YYYY-MM-DD` */
  async day(date: string): Promise<ReportDay> {
    const rows = await readReportsOf(databaseOf(this.dataSource), date, MOST_OF_A_DAY);
    if (rows.length === 0) {
      throw new DomainError('not_found', `There is no report of ${date}`);
    }
    const written = rows.filter(({ content }) => content !== null);
    const shown = written.find(({ requested }) => !requested) ?? written[0];
    return {
      date,
      content: dailyOf(shown?.content),
      reports: rows,
    };
  }

  /**
   * Has the report of a date sent once more: of an earlier day what it said when it came by itself,
   * of today the last day up to now.
   *
   * @param date `YYYY-MM-DD`
   * @throws DomainError `unprocessable` for a date in the future.
   */
  async send(date: string): Promise<ReportRecord> {
    const db = databaseOf(this.dataSource);
    const report = await requestDailyIfNotFuture(db, date);
    if (!report) {
      throw new DomainError('unprocessable', `${date} is in the future`, [
        { path: 'date', message: 'must not be in the future' },
      ]);
    }
    return report;
  }
}

function dailyOf(content: ReportContent | null | undefined): DailyContent | null {
  return content?.kind === 'daily' ? content : null;
}
