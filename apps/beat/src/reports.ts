import { cancelStatements, type Queryable } from '@app/database';
import { environmentTokens, TokenExpiries } from '@app/lanes';
import { Reports } from '@app/reports';
import { type Logger, systemClock } from '@app/platform';
import type pg from 'pg';
import type { BeatConfig, ReportConfig } from './config.js';
import { readPool } from './read-pool.js';

/** Reports of one time of leadership, with connections of their own for what they read. */
export class LeaderReports {
  readonly reports: Reports;
  private readonly pool: pg.Pool;

  /** @param db the leader's session */
  constructor(db: Queryable, { directUrl, reports: env }: BeatConfig, logger: Logger) {
    this.pool = readPool(directUrl, 'posthorn-beat-reports', logger);
    this.reports = new Reports({
      db,
      read: this.pool,
      settings: {
        time: env.REPORT_TIME,
        timezone: env.SERVER_TIMEZONE,
        language: env.REPORT_LANGUAGE,
        recipients: env.REPORT_RECIPIENTS ?? [],
        publicUrl: env.PUBLIC_URL,
      },
      alerts: {
        errorRate: env.ALERT_ERROR_RATE,
        webhookUrl: env.ALERT_WEBHOOK_URL,
        tokens: new TokenExpiries(env.ENCRYPTION_KEY, environmentTokens(env)),
      },
      mail: { url: env.SMTP_URL, from: env.MAIL_FROM },
      clock: systemClock,
      logger,
    });
  }

  stop(): void {
    this.reports.stop();
  }

  async cancelStatements(): Promise<void> {
    await cancelStatements(this.pool);
  }

  async close(): Promise<void> {
    this.reports.close();
    await this.pool.end().catch(() => undefined);
  }
}

/** Once, when the process starts: names the settings that are missing. */
export function warnOfMissingSettings(env: ReportConfig, logger: Logger): void {
  const missing = [
    ...(env.SMTP_URL === undefined ? ['SMTP_URL'] : []),
    ...(env.REPORT_RECIPIENTS?.length ? [] : ['REPORT_RECIPIENTS']),
  ];
  if (missing.length === 0) return;
  logger.warn({ missing }, 'reports are not sent by e-mail, only kept: GET /reports shows them');
}
