import { HeldReports, type HeldReportsOptions } from './held-reports.js';
import { MailCatcher } from './mail-catcher.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

type Options = Omit<HeldReportsOptions, 'dataSource' | 'now'>;

/** Reports in a database of their own, and the mail server that gets them. */
export class MailedReports {
  private opened: HeldReports | undefined;
  private readonly smtpUrl: string;

  private constructor(
    readonly database: TestDatabase,
    public catcher: MailCatcher,
    private readonly now: string,
    private readonly since: string,
  ) {
    this.smtpUrl = catcher.smtpUrl; // for a stopped server does not know it any more
  }

  /**
   * @param now ISO 8601
   * @param since what was due before is not missed
   */
  static async start(now: string, since = now): Promise<MailedReports> {
    const [database, catcher] = await Promise.all([createTestDatabase(), MailCatcher.start()]);
    return new MailedReports(database, catcher, now, since);
  }

  /** In the place of those that were opened before. */
  async open(options: Options = {}): Promise<HeldReports> {
    this.opened?.close();
    this.opened = new HeldReports({
      dataSource: this.database.dataSource,
      now: this.now,
      smtpUrl: this.smtpUrl,
      ...options,
    });
    await this.opened.since(this.since);
    return this.opened;
  }

  /** A new mail server in the place of the one that has been stopped. */
  async replaceCatcher(): Promise<MailCatcher> {
    const smtpPort = Number(new URL(this.smtpUrl).port);
    return (this.catcher = await MailCatcher.start({ smtpPort }));
  }

  async stop(): Promise<void> {
    this.opened?.close();
    await Promise.all([this.database.drop(), this.catcher.stop()]);
  }
}
