import { poolOf } from '@app/database';
import { TokenExpiries } from '@app/lanes';
import { type ReportOptions, Reports, type ReportSettings } from '@app/reports';
import { loggerOptions, systemClock } from '@app/platform';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';

export interface HeldReportsOptions {
  dataSource: DataSource;
  /** ISO 8601 */
  now: string;
  smtpUrl?: string | undefined;
  settings?: Partial<ReportSettings>;
  alerts?: Partial<ReportOptions['alerts']>;
  limits?: ReportOptions['mail']['limits'];
}

/** A report with what tests look at. */
export interface ReportRow {
  id: number;
  kind: string;
  key: string;
  transport: string;
  requested: boolean;
  status: string;
  attempts: number;
  recipients: string[];
  accepted: string[];
  refused: { recipient: string; answer: string }[];
  possible_duplicate: boolean;
  handed_over_at: Date | null;
  not_before: Date;
  sent_at: Date | null;
  answer: string | null;
  error: string | null;
  content: Record<string, unknown> | null;
  attachment: string | null;
}

/** Reports as beat has them, with a clock that only the test moves. */
export class HeldReports {
  readonly reports: Reports;
  now: Date;
  /** Log lines (JSON) at `warn` and above. */
  readonly complaints: string[] = [];
  private readonly dataSource: DataSource;
  /** ms that the test let pass. */
  private passed = 0;

  constructor(options: HeldReportsOptions) {
    const { dataSource, settings, alerts, limits } = options;
    const db = poolOf(dataSource);
    this.dataSource = dataSource;
    this.now = new Date(options.now);
    this.reports = new Reports({
      db,
      read: db,
      settings: {
        time: '09:00',
        timezone: 'Europe/Moscow',
        language: 'en',
        recipients: ['boss@example.com', 'team@example.com'],
        publicUrl: 'https://posthorn.example.com',
        ...settings,
      },
      alerts: {
        errorRate: 0.2,
        webhookUrl: undefined,
        tokens: new TokenExpiries(undefined),
        ...alerts,
      },
      mail: {
        url: options.smtpUrl,
        from: 'Почта <posthorn@example.com>',
        ...(limits && { limits }),
      },
      clock: { ...systemClock, monotonic: () => systemClock.monotonic() + this.passed },
      logger: pino(loggerOptions('reports', 'warn'), {
        write: (line: string) => this.complaints.push(line),
      }),
      now: () => Promise.resolve(this.now),
    });
  }

  /** Since when there are reports: what was due before is not missed. */
  async since(instant: string): Promise<void> {
    await this.dataSource.query('UPDATE report_start SET since = $1', [instant]);
  }

  at(instant: string): this {
    return this.pass(Date.parse(instant) - this.now.getTime());
  }

  pass(ms: number): this {
    this.now = new Date(this.now.getTime() + ms);
    this.passed += ms;
    return this;
  }

  /** Everything that beat's tasks would do now. */
  async run(): Promise<void> {
    await this.reports.raise();
    while (await this.reports.sendMail());
    while (await this.reports.postAlert());
  }

  rows(): Promise<ReportRow[]> {
    return this.dataSource.query('SELECT * FROM reports ORDER BY id');
  }

  close(): void {
    this.reports.close();
  }
}
