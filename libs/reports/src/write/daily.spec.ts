import { poolOf } from '@app/database';
import {
  addMailing,
  createTestDatabase,
  HeldReports,
  MailCatcher,
  type TestDatabase,
} from '@app/testkit';
import { writeDaily } from './daily.js';
import { periodOf } from '../report-day.js';
import type { ReportLanguage } from '../settings.js';

const WHEN = { time: '09:00', timezone: 'Europe/Moscow' };
const DATE = '2030-07-02';

describe('what the daily report says', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  const query = (text: string, ...values: unknown[]) => database.dataSource.query(text, values);
  const write = (language: ReportLanguage = 'en') =>
    writeDaily(poolOf(database.dataSource), DATE, periodOf(DATE, WHEN), {
      timezone: WHEN.timezone,
      language,
    });

  /** Running since long before, and not over. */
  async function mailing(name: string, counters = 'total = 0'): Promise<number> {
    const id = await addMailing(database.dataSource, { name });
    await query(
      `UPDATE mailings SET start_at = '2030-06-01', end_at = '2030-08-01' WHERE id = $1`,
      id,
    );
    await query(`UPDATE mailing_counters SET ${counters} WHERE mailing_id = $1`, id);
    return id;
  }

  async function activity(id: number, minute: string, counts: Record<string, number>) {
    const columns = Object.keys(counts);
    await query(
      `INSERT INTO mailing_activity (mailing_id, minute, ${columns.join(', ')})
       VALUES ($1, $2, ${columns.map((_, index) => `$${index + 3}`).join(', ')})`,
      id,
      minute,
      ...Object.values(counts),
    );
  }

  it('counts what happened from one report time to the next, and compares it with the day before', async () => {
    const id = await mailing(
      'Sale',
      'total = 100, pending = 70, sending = 5, sent = 20, failed = 5',
    );
    await activity(id, '2030-06-30T05:59Z', { sent: 1_000 });
    await activity(id, '2030-06-30T06:00Z', { sent: 7, failed: 2 });
    await activity(id, '2030-07-01T05:59Z', { sent: 1 });
    await activity(id, '2030-07-01T06:00Z', { sent: 10, failed: 1, expired: 2, cancelled: 3 });
    await activity(id, '2030-07-02T05:59Z', { sent: 5, unknown: 4 });
    await activity(id, '2030-07-02T06:00Z', { sent: 2_000 });
    const { content } = await write();
    const day = { sent: 15, failed: 1, expired: 2, cancelled: 3, unknown: 4 };
    expect(content.totals).toEqual({ mailings: 1, pending: 75, ...day });
    expect(content.before).toEqual({
      mailings: 1,
      ...{ sent: 8, failed: 2, expired: 0, cancelled: 0, unknown: 0 },
    });
    expect(content.mailings).toEqual([
      { id, name: 'Sale', status: 'running', pending: 75, total: 100, ...day },
    ]);
  });

  it('books back what it counted earlier: failed first, sent the day after, is one message in all', async () => {
    const id = await mailing('Sale', 'total = 1, sent = 1');
    await activity(id, '2030-06-30T12:00Z', { failed: 1 });
    await activity(id, '2030-07-01T12:00Z', { failed: -1, sent: 1 });
    const { content, attachment } = await write();
    expect(content.totals).toMatchObject({ sent: 1, failed: -1 });
    expect(content.before).toMatchObject({ sent: 0, failed: 1 });
    expect(attachment).toContain(`${id},Sale,running,1,-1,0,0,0,0,1,1.0000`);
  });

  it('lists mailings under way that did nothing, but none that was over, waits or was deleted', async () => {
    const idle = await mailing('idle', 'total = 9, pending = 9');
    const over = await mailing('over');
    await query(`UPDATE mailings SET finished_at = '2030-07-01T05:00Z' WHERE id = $1`, over);
    const later = await mailing('later');
    await query(`UPDATE mailings SET start_at = '2030-07-05' WHERE id = $1`, later);
    const scheduled = await mailing('scheduled');
    await query(`UPDATE mailings SET status = 'scheduled' WHERE id = $1`, scheduled);
    const deleted = await mailing('deleted');
    await activity(deleted, '2030-07-01T10:00Z', { sent: 5 });
    await query('DELETE FROM mailing_counters WHERE mailing_id = $1', deleted);
    await query('UPDATE mailings SET deleted_at = now() WHERE id = $1', deleted);
    const { content } = await write();
    expect(content.mailings.map(({ id }) => id)).toEqual([idle]);
    expect(content.totals).toMatchObject({ mailings: 1, pending: 9, sent: 0 });
  });

  it('gives the most frequent reasons of the hours of its day', async () => {
    const [one, other] = [await mailing('one'), await mailing('other')];
    for (const [id, hour, code, attempts, detail] of [
      [one, '2030-07-01T05:00Z', 'http_500', 1_000, 'before'],
      [one, '2030-07-01T06:00Z', 'http_500', 3, 'early'],
      [other, '2030-07-02T05:00Z', 'http_500', 4, 'late'],
      [other, '2030-07-01T20:00Z', 'timeout', 6, null],
      [one, '2030-07-02T06:00Z', 'timeout', 1_000, 'after'],
    ] as const) {
      await query(
        `INSERT INTO mailing_errors (mailing_id, hour, code, attempts, detail, last_at)
         VALUES ($1, $2::timestamptz, $3, $4, $5, $2::timestamptz)`,
        id,
        hour,
        code,
        attempts,
        detail,
      );
    }
    expect((await write()).content.reasons).toEqual([
      { code: 'http_500', attempts: 7, detail: 'late' },
      { code: 'timeout', attempts: 6, detail: null },
    ]);
  });

  it('attaches a table for spreadsheets in which a name stays a name', async () => {
    const id = await mailing('=HYPERLINK("http://evil";"click"), «весна»');
    await activity(id, '2030-07-01T10:00Z', { sent: 3, failed: 1 });
    expect((await write()).attachment).toBe(
      '\uFEFFmailing_id,name,status,sent,failed,expired,cancelled,unknown,pending,total,success_rate\r\n' +
        `${id},"'=HYPERLINK(""http://evil"";""click""), «весна»",running,3,1,0,0,0,0,0,0.7500\r\n`,
    );
  });

  it('stays small with 10,000 mailings: the 50 most active, and everybody in the totals', async () => {
    await query(
      `WITH made AS (
         INSERT INTO mailings (name, channel, lane_id, filter, start_at, end_at, status, finished_at, reported_at)
         SELECT repeat('Очень длинное <b>название</b> ', 7), 'notification', l.id, '{}',
           '2030-07-01T10:00Z', '2030-07-01T20:00Z', 'completed', '2030-07-01T20:00Z', '2030-07-01T20:00Z'
         FROM lanes l, generate_series(1, 10001) WHERE l.name = 'notification'
         RETURNING id
       ), counted AS (
         INSERT INTO mailing_counters (mailing_id, total, sent, planned) SELECT id, id, id, true FROM made
       )
       INSERT INTO mailing_activity (mailing_id, minute, sent)
       SELECT id, '2030-07-01T10:00Z', id FROM made`,
    );
    const catcher = await MailCatcher.start();
    const reports = new HeldReports({
      dataSource: database.dataSource,
      now: '2030-07-02T06:00:00Z',
      smtpUrl: catcher.smtpUrl,
      settings: { language: 'ru' },
    });
    await reports.since('2030-07-01T12:00:00Z');
    await reports.run();
    const [mail] = await catcher.waitFor(1);
    reports.close();
    await catcher.stop();
    expect(reports.complaints).toEqual([]);

    const { content } = await write();
    expect(content.totals).toMatchObject({ mailings: 10_001, sent: (10_001 * 10_002) / 2 });
    expect(content.mailings.map(({ id }) => id)).toEqual(
      Array.from({ length: 50 }, (_, index) => 10_001 - index),
    );
    expect(content.unlisted).toBe(9_951);
    const html = mail?.email.html ?? '';
    expect(html.match(/admin\/#\/mailings\//g)).toHaveLength(50);
    expect(html).not.toContain('<b>название');
    // Beyond 102 kB Gmail cuts a mail off.
    expect(Buffer.byteLength(html)).toBeLessThan(100_000);
    expect(mail?.email.text?.split('\n').length).toBeLessThan(80);
    const lines = Buffer.from(mail?.email.attachments[0]?.content as ArrayBuffer)
      .toString('utf8')
      .trimEnd()
      .split('\r\n');
    expect(lines).toHaveLength(10_001);
    expect(mail?.raw.length).toBeLessThan(8_000_000);
  });
});
