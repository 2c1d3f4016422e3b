import { type Database, decodeCursor, type Page, pageOf } from '@app/database';
import { noMailing } from '../mailing/mailing.service.js';
import {
  type ErrorGroup,
  type GeneralTotals,
  type MailingSummary,
  readErrors,
  readGeneralStatistics,
  readLatestOpening,
  readStatistics,
} from './statistics.queries.js';
import { forecastOf, progressOf, type Throughput, throughputOf } from './throughput.js';

/** The list that its cursors belong to. */
const LIST = 'statistics';

/** Reasons in one answer; a provider can give any number of reasons. */
const MOST_ERRORS = 100;

export type GeneralStatistics = Page<MailingSummary> & { totals: GeneralTotals };

export interface MailingStatistics extends MailingSummary {
  /** Whether `total` is final. */
  planned: boolean;
  endedAt: Date | null;
  finishedAt: Date | null;
  /** 0 to 1. */
  progress: number;
  throughput: Throughput;
  /** When it will be done; null when that cannot be known. */
  forecast: Date | null;
  errors: ErrorGroup[];
  /** Whether there was an alert about its error rate. */
  alertSent: boolean;
}

/** Statistics from counters: as fast for ten million messages as for ten. */
export class StatisticsService {
  constructor(private readonly database: Database) {}

  /**
   * Over all mailings, and per mailing, newest first.
   *
   * @throws DomainError `invalid` for a cursor of another list.
   */
  async general(query: { limit: number; cursor?: string }): Promise<GeneralStatistics> {
    const [before = null] = query.cursor === undefined ? [] : decodeCursor(LIST, query.cursor, 1);
    const { totals, items } = await readGeneralStatistics(this.database.pool, {
      before,
      limit: query.limit + 1,
    });
    return { totals, ...pageOf(LIST, items, query.limit, (mailing) => [mailing.id]) };
  }

  /** @throws DomainError `not_found` */
  async mailing(id: number): Promise<MailingStatistics> {
    const db = this.database.pool;
    const row = await readStatistics(db, id);
    if (!row) throw noMailing(id);
    const errors = await readErrors(db, id, MOST_ERRORS);
    const throughput = throughputOf({ ...row, sent: row.counts.sent });
    const latestOpening = row.status === 'running' ? await readLatestOpening(db, id) : null;
    return {
      id: row.id,
      name: row.name,
      status: row.status,
      startAt: row.startAt,
      endAt: row.endAt,
      total: row.total,
      repeated: row.repeated,
      counts: row.counts,
      planned: row.planned,
      endedAt: row.endedAt,
      finishedAt: row.finishedAt,
      progress: progressOf(row),
      throughput,
      forecast: forecastOf(row, throughput.perSecond, latestOpening),
      errors,
      alertSent: row.alertSent,
    };
  }
}
