import { type Queryable, readClock } from '@app/database';
import { type Clock, type Logger, messageOf, taskHealth } from '@app/platform';
import { Mailer, type MailLimits } from './send/mailer.js';
import { type AlertSettings, RAISE_TASKS, RaiseService } from './raise/raise.service.js';
import { recordTask, SendService } from './send/send.service.js';
import type { Now, ReportSettings } from './settings.js';
import { Webhook } from './send/webhook.js';
import { ReportWriter, WRITE_TASK } from './write/writer.js';

export interface ReportOptions {
  /** The leader's session: everything is written through it. */
  db: Queryable;
  /** Other sessions, for reading what may take a while. */
  read: Queryable;
  settings: ReportSettings;
  alerts: Omit<AlertSettings, 'webhook'> & { webhookUrl: string | undefined };
  mail: { url: string | undefined; from: string; limits?: Partial<MailLimits> };
  clock: Clock;
  logger: Logger;
  /** Default: the database's clock. */
  now?: Now;
}

const TASKS = [...RAISE_TASKS, WRITE_TASK, recordTask('email'), recordTask('webhook')];

/** Reports and alerts of one time of leadership: noticing, writing and sending, each a task of its own. */
export class Reports {
  private readonly raiser: RaiseService;
  private readonly writer: ReportWriter;
  private readonly mail: SendService;
  private readonly webhook: SendService;

  constructor(private readonly options: ReportOptions) {
    const { db, read, settings, alerts, mail, clock, logger } = options;
    const now = options.now ?? (() => readClock(db));
    const { webhookUrl } = alerts;
    this.raiser = new RaiseService({
      db,
      read,
      settings,
      alerts: { ...alerts, webhook: webhookUrl === undefined ? null : new URL(webhookUrl).origin },
      now,
      clock,
      logger,
    });
    this.writer = new ReportWriter({ db, read, settings, now, clock, logger });
    const sending = { db, settings, now, clock, logger };
    this.mail = new SendService({
      ...sending,
      transport: 'email',
      sender: mail.url === undefined ? null : new Mailer({ ...mail, url: mail.url }),
      missingSetting: 'SMTP_URL is not set',
    });
    this.webhook = new SendService({
      ...sending,
      transport: 'webhook',
      sender: webhookUrl === undefined ? null : new Webhook({ url: webhookUrl }),
      missingSetting: 'ALERT_WEBHOOK_URL is not set',
    });
  }

  /** Notices what is to be reported. @returns whether there is something new to send. */
  raise(): Promise<boolean> {
    return this.raiser.run();
  }

  /** Writes what waits for its content and sends one mail. @returns whether there may be more now. */
  async sendMail(): Promise<boolean> {
    try {
      await this.writer.run();
    } catch (error) {
      // The sessions that read are away: what is written already can still be sent.
      this.options.logger.warn({ error: messageOf(error) }, 'reports could not be written');
    }
    return this.mail.run();
  }

  /** Posts one alert. @returns whether there may be more now. */
  postAlert(): Promise<boolean> {
    return this.webhook.run();
  }

  /** The process is to end: an attempt under way gets a few seconds more. */
  stop(): void {
    this.mail.stop();
    this.webhook.stop();
  }

  close(): void {
    this.mail.close();
    this.webhook.close();
    for (const task of TASKS) taskHealth.forget(task);
  }
}
