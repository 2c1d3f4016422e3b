import { createTestDatabase, HeldReports, MailCatcher, type TestDatabase } from '@app/testkit';
import { recipientsOf } from './recipients.js';

const DUE = '2030-07-02T06:00:00Z';
const HOUR = 3_600_000;

describe('the recipients of a report', () => {
  let database: TestDatabase;
  let catcher: MailCatcher;
  const opened: HeldReports[] = [];

  beforeEach(async () => {
    [database, catcher] = await Promise.all([createTestDatabase(), MailCatcher.start()]);
  });
  afterEach(async () => {
    for (const reports of opened.splice(0)) reports.close();
    await Promise.all([database.drop(), catcher.stop()]);
  });

  async function open(recipients: string[]): Promise<HeldReports> {
    const reports = new HeldReports({
      dataSource: database.dataSource,
      now: DUE,
      smtpUrl: catcher.smtpUrl,
      settings: { recipients },
    });
    opened.push(reports);
    await reports.since('2030-07-01T12:00:00Z');
    return reports;
  }

  const arrived = () => catcher.mails.flatMap(({ to }) => to);

  it.each([
    ['in capitals', 'Team@Example.COM', 'Team@example.com'],
    ['with a domain of another script', 'team@Почта.РФ', 'team@почта.рф'],
    ['with a local part that needs quotes', '.team.@example.com', '".team."@example.com'],
    ['wholly of another script', 'иван@почта.рф', 'иван@почта.рф'],
  ])('get it once, %s, while another is asked again and again', async (_, address, asReached) => {
    catcher.faults = {
      recipient: (one) => (one === 'full@example.com' ? '452 4.2.2 Mailbox full' : undefined),
    };
    const reports = await open([address, 'full@example.com']);
    await reports.run();
    for (let hours = 0; hours < 5; hours++) await reports.pass(HOUR).run();
    expect(arrived()).toEqual([asReached]);
    const [report] = await reports.rows();
    expect(report).toMatchObject({ status: 'pending', attempts: 6 });
    expect(report?.accepted).toEqual([report?.recipients[0]]);

    catcher.faults = {};
    await reports.pass(HOUR).run();
    expect(arrived()).toEqual([asReached, 'full@example.com']);
    expect((await reports.rows())[0]).toMatchObject({ status: 'sent', attempts: 7 });
  });

  it('are not asked again once refused, however their address is spelled', async () => {
    const asked: string[] = [];
    catcher.faults = {
      recipient: (one) => {
        asked.push(one);
        return one.startsWith('Nobody') ? '550 5.1.1 No such user' : '450 4.2.0 Greylisted';
      },
    };
    const reports = await open(['Nobody@ПОЧТА.РФ', 'team@example.com']);
    await reports.run();
    await reports.pass(HOUR).run();
    expect(asked.filter((one) => one.startsWith('Nobody'))).toHaveLength(1);
    expect((await reports.rows())[0]?.refused).toEqual([
      { recipient: 'Nobody@xn--80a1acny.xn--p1ai', answer: '550 5.1.1 No such user' },
    ]);
  });

  it('are each one person in daily reports and in alerts', async () => {
    const reports = await open(['team@Example.COM', 'TEAM@example.com', 'team@example.com']);
    await database.dataSource.query(
      `UPDATE lanes SET state = 'open', opened_at = '2030-07-02T05:00Z'`,
    );
    await reports.run();
    const rows = await reports.rows();
    expect(rows.map(({ kind, recipients }) => [kind, recipients])).toEqual([
      ['daily', ['team@example.com']],
      ['breaker_open', ['team@example.com']],
    ]);
    expect(arrived()).toEqual(['team@example.com', 'team@example.com']);
  });

  it('who have no address are refused by us, and the others get theirs', async () => {
    const reports = await open(['x\r\nBcc: evil@example.com', 'team@example.com']);
    await reports.run();
    expect(arrived()).toEqual(['team@example.com']);
    expect(catcher.mails[0]?.raw.toString()).not.toContain('evil@');
    const [report] = await reports.rows();
    expect(report).toMatchObject({ status: 'sent', attempts: 1 });
    expect(report?.refused).toEqual([
      { recipient: 'x\r\nBcc: evil@example.com', answer: 'It is not an e-mail address' },
    ]);
  });

  it('are in the canonical form, the later spelling of one before the earlier', () => {
    expect(recipientsOf(['boss@EXAMPLE.com', 'a@b.ru'], ['Boss@example.com'])).toEqual([
      'Boss@example.com',
      'a@b.ru',
    ]);
  });
});
