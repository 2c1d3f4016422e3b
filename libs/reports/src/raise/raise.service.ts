import { isDatabaseAway, type Queryable } from '@app/database';
import type { TokenExpiries } from '@app/lanes';
import { type Clock, Isolated, type Logger } from '@app/platform';
import type { AlertContent } from '../content.js';
import { addDailyOnce, addReportsOnce } from '../outbox.queries.js';
import {
  addCompletionReports,
  findClosedBreakers,
  findErrorRates,
  findLongOpenBreakers,
  readLaneTokens,
  readReportStart,
} from './raise.queries.js';
import { recipientsOf } from '../recipients.js';
import { dueDates, latestDue, periodOf } from '../report-day.js';
import type { Now, ReportSettings } from '../settings.js';

const ERROR_RATE_MINUTES = 5;
/** With fewer attempts a share means nothing. */
const ERROR_RATE_LEAST_ATTEMPTS = 50;
const BREAKER_MINUTES = 5;
const TOKEN_WARNING_MS = 3 * 24 * 3_600_000;

export interface AlertSettings {
  /** Share of bad attempts, 0 to 1, above which a mailing is worth an alert. */
  errorRate: number;
  /** The origin of the webhook that alerts go to as well; null: there is none. */
  webhook: string | null;
  tokens: TokenExpiries;
}

export interface RaiseOptions {
  /** The leader's session: writes. */
  db: Queryable;
  read: Queryable;
  settings: ReportSettings;
  alerts: AlertSettings;
  now: Now;
  clock: Clock;
  logger: Logger;
}

/** Something that is worth an alert. */
interface Noticed {
  kind: AlertContent['kind'];
  key: string;
  mailingId?: number;
  /** Null: on a closer look it is not. */
  content: () => AlertContent | null;
}

/** One thing that is looked at. */
interface Raiser {
  report: string;
  raise: (now: Date) => Promise<number>;
}

const RAISE_TASK = 'report-raise';
const ALERT_TASK = 'report-alert';
export const RAISE_TASKS: readonly string[] = [RAISE_TASK, ALERT_TASK];

/**
 * Raises reports and alerts, each once: the row in the database makes it unique, however often it is
 * noticed, and after any crash.
 */
export class RaiseService {
  private dailyUpTo = '';

  private readonly raisers: readonly Raiser[] = [
    { report: 'daily', raise: (now) => this.raiseDaily(now) },
    { report: 'completion', raise: (now) => addCompletionReports(this.options.db, now) },
    { report: 'error_rate', raise: (now) => this.raiseErrorRates(now) },
    { report: 'breaker', raise: (now) => this.raiseBreakers(now) },
    { report: 'token_expiry', raise: (now) => this.raiseTokenExpiries(now) },
  ];
  private readonly raising: Isolated<Raiser>;
  private readonly alerting: Isolated<Noticed>;

  constructor(private readonly options: RaiseOptions) {
    const { clock, logger } = options;
    const shared = { isShared: isDatabaseAway, clock, logger };
    this.raising = new Isolated<Raiser>({
      ...shared,
      task: RAISE_TASK,
      key: ({ report }) => report,
      fields: ({ report }) => ({ report }),
    });
    this.alerting = new Isolated<Noticed>({
      ...shared,
      task: ALERT_TASK,
      key: ({ kind, key }) => `${kind} ${key}`,
      fields: ({ kind, key }) => ({ alert: kind, key }),
    });
  }

  /** @returns whether there is something new to send. */
  async run(): Promise<boolean> {
    const now = await this.options.now();
    let added = 0;
    await this.raising.run(this.raisers, async ({ raise }) => {
      added += await raise(now);
    });
    return added > 0;
  }

  private async raiseDaily(now: Date): Promise<number> {
    const { db, settings } = this.options;
    const latest = latestDue(now, settings);
    if (latest <= this.dailyUpTo) return 0;
    const since = await readReportStart(db);
    const dates = since ? dueDates(since, now, settings) : [];
    let added = 0;
    // eslint-disable-next-line no-restricted-syntax -- in order: each begins where the last one ended
    for (const date of dates) added += await addDailyOnce(db, date, periodOf(date, settings), now);
    this.dailyUpTo = latest;
    return added;
  }

  private async raiseErrorRates(now: Date): Promise<number> {
    const { read, alerts } = this.options;
    const found = await findErrorRates(read, now, {
      minutes: ERROR_RATE_MINUTES,
      threshold: alerts.errorRate,
      leastAttempts: ERROR_RATE_LEAST_ATTEMPTS,
    });
    return this.alertAll(
      now,
      found.map(({ id, name, attempts, bad, reasons }) => ({
        kind: 'error_rate',
        key: String(id),
        mailingId: id,
        content: () => ({
          kind: 'error_rate',
          mailing: { id, name },
          at: now.toISOString(),
          minutes: ERROR_RATE_MINUTES,
          attempts,
          bad,
          threshold: alerts.errorRate,
          reasons,
        }),
      })),
    );
  }

  private async raiseBreakers(now: Date): Promise<number> {
    const { read } = this.options;
    const opened = await findLongOpenBreakers(read, now, BREAKER_MINUTES);
    const closed = await findClosedBreakers(read, now);
    return this.alertAll(now, [
      ...opened.map(({ id, channel, reason, detail, openedAt, byHand }) => ({
        kind: 'breaker_open' as const,
        key: `${id}@${openedAt.getTime()}`,
        content: () => ({
          kind: 'breaker_open' as const,
          channel,
          openedAt: openedAt.toISOString(),
          at: now.toISOString(),
          reason,
          detail,
          byHand,
        }),
      })),
      ...closed.map(({ key, channel, openedAt, closedAt }) => ({
        kind: 'breaker_closed' as const,
        key,
        content: () => ({
          kind: 'breaker_closed' as const,
          channel,
          openedAt: openedAt.toISOString(),
          at: closedAt.toISOString(),
          reason: null,
        }),
      })),
    ]);
  }

  /** Once a day, at the report time, for as long as it lasts. */
  private async raiseTokenExpiries(now: Date): Promise<number> {
    const { read, settings, alerts } = this.options;
    const day = latestDue(now, settings);
    const lanes = await readLaneTokens(read, day);
    return this.alertAll(
      now,
      lanes
        .filter(({ alerted }) => !alerted)
        .map((lane) => ({
          kind: 'token_expiry',
          key: `${lane.id}@${day}`,
          content: () => {
            const expiresAt = alerts.tokens.of(lane);
            if (!expiresAt || expiresAt.getTime() - now.getTime() > TOKEN_WARNING_MS) return null;
            return {
              kind: 'token_expiry',
              channel: lane.name,
              at: now.toISOString(),
              expiresAt: expiresAt.toISOString(),
            };
          },
        })),
    );
  }

  private async alertAll(now: Date, noticed: readonly Noticed[]): Promise<number> {
    let added = 0;
    await this.alerting.run(noticed, async ({ key, content, mailingId }) => {
      const alert = content();
      if (alert) added += await this.addAlert(key, alert, now, mailingId);
    });
    return added;
  }

  private async addAlert(
    key: string,
    content: AlertContent,
    now: Date,
    mailingId?: number,
  ): Promise<number> {
    const { db, settings, alerts, logger } = this.options;
    const report = { kind: content.kind, key, content, ...(mailingId && { mailingId }) };
    const added = await addReportsOnce(
      db,
      [
        { ...report, transport: 'email', recipients: recipientsOf(settings.recipients) },
        ...(alerts.webhook === null
          ? []
          : [{ ...report, transport: 'webhook' as const, recipients: [alerts.webhook] }]),
      ],
      now,
    );
    if (added > 0) logger.warn({ alert: content.kind, key }, 'alert');
    return added;
  }
}
