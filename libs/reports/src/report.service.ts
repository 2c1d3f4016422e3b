import type { Actor, ChangeLog } from '@app/audit';
import {
  type Database,
  decodeCursor,
  type Page,
  pageOf,
  type Queryable,
  type ReportKind,
} from '@app/database';
import { type Created, createOnce, findReplay, type IdempotentRequest } from '@app/idempotency';
import { DomainError } from '@app/platform';
import type { DailyContent, ReportContent } from './content.js';
import {
  listReports,
  readReport,
  readReportsOf,
  lockRequests,
  type ReportRecord,
  requestDaily,
  secondsToWait,
} from './report.queries.js';
import { localDate } from './report-day.js';

/** The list that its cursors belong to. */
const LIST = 'reports';

/** More than anybody asks for on one day by hand. */
const MOST_OF_A_DAY = 100;
/** Anybody with a key could otherwise fill the mailboxes of all recipients. */
const REQUEST_LIMIT = { most: 20, seconds: 3_600 };

export interface ReportListQuery {
  kind?: ReportKind;
  limit: number;
  cursor?: string;
}

/** Everything about the daily report of one date. */
export interface ReportDay {
  date: string;
  /** The content of the scheduled one, or else of the newest; null while none is written. */
  content: DailyContent | null;
  /** Newest first; at most one of them is the scheduled one. */
  reports: ReportRecord[];
}

/** Reports as a resource. Sending is beat's. */
export class ReportService {
  constructor(
    private readonly database: Database,
    private readonly changes: ChangeLog,
    private readonly options: { /** IANA: by its clock reports are dated. */ timezone: string },
  ) {}

  /** Newest first. @throws DomainError `invalid` for a cursor of another list. */
  async list(query: ReportListQuery): Promise<Page<ReportRecord>> {
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(LIST, query.cursor, 1);
    const rows = await listReports(this.database.pool, {
      kind: query.kind ?? null,
      before,
      limit: query.limit + 1,
    });
    return pageOf(LIST, rows, query.limit, (report) => [report.id]);
  }

  /** @param date `YYYY-MM-DD` @throws DomainError `not_found` when there is none of that date. */
  async day(date: string): Promise<ReportDay> {
    const rows = await readReportsOf(this.database.pool, date, MOST_OF_A_DAY);
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
   * Has the report of a date sent again: of an earlier day what it said when it came by itself,
   * of today the last day up to now. Each goes to all who get reports: there is a limit.
   *
   * @param date `YYYY-MM-DD`
   * @param idempotent makes it one report, however often the request is sent
   * @throws DomainError `unprocessable` for a date that has not begun, `too_many_requests`; for an
   *   idempotent request what `createOnce` throws.
   */
  async send(
    actor: Actor,
    date: string,
    idempotent?: IdempotentRequest,
  ): Promise<Created<ReportRecord>> {
    const request = (session: Queryable) => this.requestIfAllowed(session, date);
    const created = idempotent
      ? await createOnce(this.database, 'report', idempotent, request, readReport)
      : { resource: await this.database.transaction(request), replayed: false };
    if (!created.replayed) this.changes.add(actor, 'report.request', created.resource.id);
    return created;
  }

  /** What an earlier request with this key asked for, see `findReplay`. @throws DomainError */
  findReplay(request: IdempotentRequest): Promise<ReportRecord | null> {
    return findReplay(this.database, 'report', request, readReport);
  }

  private async requestIfAllowed(session: Queryable, date: string): Promise<ReportRecord> {
    const { timezone } = this.options;
    const now = await lockRequests(session);
    const today = localDate(now, timezone);
    if (date > today) {
      throw new DomainError(
        'unprocessable',
        `${date} has not begun: in ${timezone}, by which reports are dated, it is ${today}`,
        [{ path: 'date', message: `must not be after ${today}` }],
      ).because('date_not_begun', { today, timezone });
    }
    const wait = await secondsToWait(session, now, REQUEST_LIMIT);
    if (wait !== null) {
      throw new DomainError(
        'too_many_requests',
        `${REQUEST_LIMIT.most} reports were asked for within an hour, which is the limit; try again in ${wait} s`,
        [],
        wait,
      ).because('too_many_reports', { most: REQUEST_LIMIT.most, seconds: wait });
    }
    return requestDaily(session, date);
  }
}

function dailyOf(content: ReportContent | null | undefined): DailyContent | null {
  return content?.kind === 'daily' ? content : null;
}
