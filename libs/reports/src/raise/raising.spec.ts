import {
  addMailing,
  createTestDatabase,
  HeldReports,
  type HeldReportsOptions,
  MailCatcher,
  type TestDatabase,
} from '@app/testkit';

const NOW = '2030-07-02T10:00:00Z';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('what is reported', () => {
  let database: TestDatabase;
  let catcher: MailCatcher;
  const opened: HeldReports[] = [];

  beforeAll(async () => {
    catcher = await MailCatcher.start();
  });
  beforeEach(async () => {
    database = await createTestDatabase();
    catcher.mails.length = 0;
  });
  afterEach(async () => {
    for (const reports of opened.splice(0)) reports.close();
    await database.drop();
  });
  afterAll(() => catcher.stop());

  const query = (text: string, ...values: unknown[]) => database.dataSource.query(text, values);

  /** With no daily report due, unless `since` says so. */
  async function open(options: Partial<HeldReportsOptions> & { since?: string } = {}) {
    const reports = new HeldReports({
      dataSource: database.dataSource,
      now: NOW,
      smtpUrl: catcher.smtpUrl,
      ...options,
    });
    opened.push(reports);
    await reports.since(options.since ?? NOW);
    return reports;
  }

  const sent = async (reports: HeldReports) =>
    (await reports.rows())
      .filter(({ status }) => status === 'sent')
      .map(({ kind, key }) => [kind, key]);
  const subjects = () => catcher.mails.map(({ email }) => email.subject);

  describe('every day', () => {
    it('comes at the report time, not a moment before', async () => {
      const reports = await open({ now: '2030-07-02T05:59:59.999Z', since: '2030-07-01T12:00Z' });
      await reports.run();
      expect(await reports.rows()).toEqual([]);
      await reports.pass(1).run();
      expect(await sent(reports)).toEqual([['daily', '2030-07-02']]);
    });

    it('comes once with two beats at the same moment, and not again after a restart', async () => {
      const since = '2030-07-01T12:00Z';
      const [one, other] = await Promise.all([open({ since }), open({ since })]);
      await Promise.all([one.reports.raise(), other.reports.raise(), other.reports.raise()]);
      await one.run();
      await other.run();
      await (await open({ since })).pass(30_000).run();
      expect(catcher.mails).toHaveLength(1);
      expect(await one.rows()).toHaveLength(1);
    });

    it('comes late, once, for each day that was missed because everything was down', async () => {
      const reports = await open({ since: '2030-06-29T12:00Z' });
      await reports.run();
      await reports.run();
      expect(await sent(reports)).toEqual([
        ['daily', '2030-06-30'],
        ['daily', '2030-07-01'],
        ['daily', '2030-07-02'],
      ]);
    });

    it('does not come for the days before there was anything to report', async () => {
      const reports = await open();
      await reports.run();
      expect(await reports.rows()).toEqual([]);
    });

    it('comes once on days of 23 and of 25 hours, and covers all of their hours', async () => {
      const settings = { timezone: 'Europe/Berlin' };
      const hours = async (reports: HeldReports) =>
        (await reports.rows()).map(({ key, content }) => {
          const { from, to } = content as { from: string; to: string };
          return [key, (Date.parse(to) - Date.parse(from)) / 3_600_000];
        });
      const spring = await open({ now: '2030-04-01T12:00Z', since: '2030-03-30T00:00Z', settings });
      await spring.run();
      expect(await hours(spring)).toEqual([
        ['2030-03-30', 24],
        ['2030-03-31', 23],
        ['2030-04-01', 24],
      ]);
      await query('DELETE FROM reports');
      const autumn = await open({ now: '2030-10-28T12:00Z', since: '2030-10-26T12:00Z', settings });
      for (let hour = 0; hour < 3; hour++) await autumn.pass(60 * MINUTE).run();
      expect(await hours(autumn)).toEqual([
        ['2030-10-27', 25],
        ['2030-10-28', 24],
      ]);
    });
  });

  describe('on request', () => {
    const ask = (date: string) =>
      query(
        `INSERT INTO reports (kind, key, transport, requested, date, message_id, not_before, give_up_at)
         VALUES ('daily', $1::date::text, 'email', true, $1::date, gen_random_uuid(), '2030-01-01', '2031-01-01')`,
        date,
      );

    it('covers the last day up to now if it is about today, and leaves the one of today alone', async () => {
      const reports = await open({ now: '2030-07-02T05:30:00Z', since: '2030-07-01T12:00Z' });
      await ask('2030-07-02');
      await reports.run();
      await reports.at('2030-07-02T06:00:00Z').run();
      const periods = (await reports.rows()).map(({ requested, content }) => {
        const { from, to } = content as { from: string; to: string };
        return [requested, from, to];
      });
      expect(periods).toEqual([
        [true, '2030-07-01T05:30:00.000Z', '2030-07-02T05:30:00.000Z'],
        [false, '2030-07-01T06:00:00.000Z', '2030-07-02T06:00:00.000Z'],
      ]);
      expect(catcher.mails).toHaveLength(2);
    });

    it('takes the today of a caller in another timezone for today', async () => {
      // On the 2nd of July in Moscow, where the reports are made, on the 1st in Greenwich.
      const reports = await open({ now: '2030-07-01T22:00:00Z', since: '2030-07-01T22:00Z' });
      for (const date of ['2030-07-01', '2030-06-30']) await ask(date);
      await reports.run();
      expect((await reports.rows()).map(({ content }) => content?.to)).toEqual([
        '2030-07-01T22:00:00.000Z',
        '2030-06-30T06:00:00.000Z',
      ]);
    });

    it('has the same content again if it is about an earlier day', async () => {
      const reports = await open({ since: '2030-07-01T12:00Z' });
      await reports.run();
      await reports.pass(DAY - 5 * 60 * MINUTE).run();
      const id = await addMailing(database.dataSource, { name: 'written later' });
      await query(
        `INSERT INTO mailing_activity (mailing_id, minute, sent) VALUES ($1, '2030-07-01T10:00Z', 5)`,
        id,
      );
      await ask('2030-07-02');
      await reports.run();
      const [first, again] = (await reports.rows()).filter(({ key }) => key === '2030-07-02');
      expect(again).toMatchObject({ requested: true, status: 'sent', content: first?.content });
      expect(catcher.mails[0]?.email.messageId).not.toBe(catcher.mails[1]?.email.messageId);
    });
  });

  describe('at the end of a mailing', () => {
    async function finished(fields = {}, changes = '') {
      const id = await addMailing(database.dataSource, { status: 'completed', ...fields });
      if (changes !== '') await query(`UPDATE mailings SET ${changes} WHERE id = $1`, id);
      return id;
    }

    it('goes to the recipients of all reports and to those of the mailing, once', async () => {
      const reports = await open();
      const id = await finished({ name: 'Sale' }, `report_to = '{Boss@example.com,x@example.com}'`);
      await query(
        `UPDATE mailing_counters SET total = 10, sent = 8, failed = 2 WHERE mailing_id = $1`,
        id,
      );
      await reports.run();
      await reports.run();
      expect(catcher.mails.map(({ to }) => to)).toEqual([
        ['Boss@example.com', 'team@example.com', 'x@example.com'],
      ]);
      expect(subjects()).toEqual(['Posthorn: Sale · Completed · 8 of 10 sent']);
      expect(catcher.mails[0]?.email.html).toContain(
        `https://posthorn.example.com/admin/#/mailings/${id}/show`,
      );
    });

    it('says whether all was done, the end came or somebody cancelled', async () => {
      const reports = await open();
      await finished();
      await finished({ endsIn: 0 }, 'ended_at = end_at');
      const late = await finished();
      await query('UPDATE mailing_counters SET total = 1, expired = 1 WHERE mailing_id = $1', late);
      await finished({ status: 'cancelled' });
      await reports.run();
      const endings = (await reports.rows()).map(({ content }) => content?.ending);
      expect(endings).toEqual(['all_done', 'end_time', 'end_time', 'cancelled']);
    });

    it('is not made for a mailing that wants none, that is deleted or that is not over', async () => {
      const reports = await open();
      await finished({}, 'report_enabled = false');
      await finished({}, 'deleted_at = now()');
      await addMailing(database.dataSource, { status: 'running' });
      await reports.run();
      expect(await reports.rows()).toEqual([]);
    });

    it('comes again when the mailing was reopened and has finished again', async () => {
      const reports = await open();
      const id = await finished({ name: 'Sale' });
      await reports.run();
      await query(`UPDATE mailings SET status = 'running', finished_at = NULL WHERE id = $1`, id);
      await reports.run();
      expect(catcher.mails).toHaveLength(1);
      await query(
        `UPDATE mailings SET status = 'completed', finished_at = now() WHERE id = $1`,
        id,
      );
      await reports.run();
      expect(catcher.mails).toHaveLength(2);
    });
  });
});
