import { addMailing, createTestDatabase, HeldReports, type TestDatabase } from '@app/testkit';

const HOUR = 3_600_000;

interface Covered {
  date: string;
  from: string;
  to: string;
  sent: number;
}

describe('the periods of the daily reports', () => {
  let database: TestDatabase;
  let held: HeldReports | undefined;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    held?.close();
    await database.drop();
  });

  const query = <T>(text: string, ...values: unknown[]): Promise<T[]> =>
    database.dataSource.query(text, values);

  /** A mailing of which one message is sent every ten minutes. */
  async function activity(from: string, to: string): Promise<void> {
    const id = await addMailing(database.dataSource);
    await query('UPDATE mailings SET start_at = $1, end_at = $2', from, to);
    await query(
      `INSERT INTO mailing_activity (mailing_id, minute, sent)
       SELECT $1, minute, 1 FROM generate_series($2::timestamptz, $3::timestamptz, interval '10 minutes') minute`,
      id,
      from,
      to,
    );
  }

  /** Beat with these settings, looking at the clock every hour. */
  async function lead(when: string, from: string, to: string): Promise<void> {
    const [time, timezone] = when.split(' ') as [string, string];
    held?.close();
    held = new HeldReports({
      dataSource: database.dataSource,
      now: from,
      settings: { time, timezone },
    });
    for (; held.now.getTime() < Date.parse(to); held.pass(HOUR)) await held.run();
  }

  const reports = () =>
    query<Covered>(
      `SELECT key AS date, content ->> 'from' AS from, content ->> 'to' AS to,
         (content -> 'totals' ->> 'sent')::int AS sent
       FROM reports WHERE kind = 'daily' AND NOT requested ORDER BY date`,
    );

  it.each([
    ['a later report time', '09:00 Europe/Moscow', '18:30 Europe/Moscow'],
    ['an earlier report time', '18:30 Europe/Moscow', '09:00 Europe/Moscow'],
    ['a timezone further east', '09:00 Europe/Moscow', '09:00 Asia/Kamchatka'],
    ['a timezone further west', '09:00 Europe/Moscow', '09:00 America/Los_Angeles'],
    [
      'the end of the day in the west, then its beginning in the farthest east',
      '23:30 Pacific/Pago_Pago',
      '00:30 Pacific/Kiritimati',
    ],
    [
      'the beginning of the day in the farthest east, then its end in the west',
      '00:30 Pacific/Kiritimati',
      '23:30 Pacific/Pago_Pago',
    ],
  ])('cover every moment once through %s', async (_, before, after) => {
    await query(`UPDATE report_start SET since = '2030-07-01T12:00Z'`);
    await activity('2030-06-25T00:00Z', '2030-07-20T00:00Z');
    await lead(before, '2030-07-01T12:00:00Z', '2030-07-04T11:00:00Z');
    await lead(after, '2030-07-04T11:00:00Z', '2030-07-08T11:00:00Z');
    await lead(before, '2030-07-08T11:00:00Z', '2030-07-12T11:00:00Z');
    await expectWhole(8);
  });

  it.each([
    ['forward', '2030-03-28', '2030-04-03'],
    ['back', '2030-10-24', '2030-10-30'],
  ])(
    'cover every moment once while the clock is set %s and the time changes',
    async (_, from, to) => {
      await query('UPDATE report_start SET since = $1', `${from}T12:00Z`);
      await activity(`${from}T00:00Z`, `${to}T23:00Z`);
      const night = (days: number) =>
        new Date(Date.parse(`${from}T12:00:00Z`) + days * 24 * HOUR).toISOString();
      await lead('02:30 Europe/Berlin', night(0), night(3));
      await lead('03:15 Europe/Berlin', night(3), night(4));
      await lead('01:45 Europe/Berlin', night(4), `${to}T20:00:00Z`);
      await expectWhole(5);
    },
  );

  it('cover also what happened while everything was down for weeks', async () => {
    await query(`UPDATE report_start SET since = '2030-06-01T12:00Z'`);
    await activity('2030-06-01T00:00Z', '2030-07-20T00:00Z');
    await lead('09:00 Europe/Moscow', '2030-06-02T12:00:00Z', '2030-06-04T12:00:00Z');
    await lead('09:00 Europe/Moscow', '2030-07-10T12:00:00Z', '2030-07-11T12:00:00Z');
    await expectWhole(10);
  });

  it('go on where the last one ended at once, when the report time of the day has passed', async () => {
    await query(`UPDATE report_start SET since = '2030-07-01T12:00Z'`);
    await lead('18:00 Europe/Moscow', '2030-07-02T16:00:00Z', '2030-07-03T07:00:00Z');
    await lead('09:00 Europe/Moscow', '2030-07-03T07:00:00Z', '2030-07-03T08:00:00Z');
    expect((await reports()).map(({ date, from, to }) => [date, from, to])).toEqual([
      ['2030-07-01', '2030-06-30T15:00:00.000Z', '2030-07-01T15:00:00.000Z'],
      ['2030-07-02', '2030-07-01T15:00:00.000Z', '2030-07-02T15:00:00.000Z'],
      ['2030-07-03', '2030-07-02T15:00:00.000Z', '2030-07-03T06:00:00.000Z'],
    ]);
  });

  /** Each begins where the last one ended, and together they have counted all that happened. */
  async function expectWhole(atLeast: number): Promise<void> {
    const all = await reports();
    expect(all.length).toBeGreaterThanOrEqual(atLeast);
    all.slice(1).forEach(({ from, to }, index) => {
      expect(from).toBe(all[index]?.to);
      expect(Date.parse(to)).toBeGreaterThan(Date.parse(from));
    });
    const [{ sent } = { sent: 0 }] = await query<{ sent: number }>(
      'SELECT sum(sent)::int AS sent FROM mailing_activity WHERE minute >= $1 AND minute < $2',
      all[0]?.from,
      all.at(-1)?.to,
    );
    expect(all.reduce((sum, report) => sum + report.sent, 0)).toBe(sent);
  }
});
