import {
  addMailing,
  createTestDatabase,
  MailCatcher,
  type RunningProcess,
  startProcess,
  type TestDatabase,
  waitFor as waitForIt,
} from '@app/testkit';
import pg from 'pg';

const HALF_A_DAY = 12 * 3_600_000;

const waitFor = (look: () => Promise<boolean>, what: string) =>
  waitForIt(look, { timeoutMs: 15_000, what });

interface Row {
  status: string;
  attempts: number;
  possible_duplicate: boolean;
  handed_over_at: Date | null;
}

describe('beat', () => {
  let database: TestDatabase;
  let catcher: MailCatcher;
  const beats: RunningProcess[] = [];

  beforeEach(async () => {
    [database, catcher] = await Promise.all([createTestDatabase(), MailCatcher.start()]);
    // One report was missed: it is due as soon as a beat leads.
    await query(`UPDATE report_start SET since = now() - interval '24 hours'`);
  });
  afterEach(async () => {
    await Promise.all(beats.splice(0).map((beat) => beat.kill()));
    await Promise.all([database.drop(), catcher.stop()]);
  });

  const query = <T>(text: string, ...values: unknown[]): Promise<T[]> =>
    database.dataSource.query(text, values);
  const daily = async () => {
    const rows = await query<Row>(`SELECT * FROM reports WHERE kind = 'daily' ORDER BY id`);
    return rows[0];
  };
  const becomes = (status: string) =>
    waitFor(async () => (await daily())?.status === status, `a report that is ${status}`);

  async function start(settings: Record<string, string> = {}): Promise<RunningProcess> {
    const beat = await startProcess('beat', {
      DATABASE_URL: database.url,
      BEAT_PORT: '0',
      SMTP_URL: catcher.smtpUrl,
      REPORT_RECIPIENTS: 'boss@example.com',
      SERVER_TIMEZONE: 'UTC',
      REPORT_TIME: new Date(Date.now() - HALF_A_DAY).toISOString().slice(11, 16),
      ...settings,
    });
    beats.push(beat);
    return beat;
  }

  it('sends one report with two beats, and none again when the leader is killed and restarted', async () => {
    const [leader] = [await start(), await start()];
    await becomes('sent');
    await leader.kill();
    await beats[1]?.waitForLog((line) => line.includes('"leading"'));
    await start();
    // The leader has looked: it makes the report of this mailing, and would have made any other.
    await addMailing(database.dataSource, { status: 'completed' });
    await waitFor(async () => {
      const [row] = await query<{ n: number }>(
        `SELECT count(*) AS n FROM reports WHERE kind = 'completion' AND status = 'sent'`,
      );
      return row?.n === 1;
    }, 'the report of the mailing');
    const subjects = catcher.mails.map(({ email }) => email.subject);
    expect(subjects).toHaveLength(2);
    expect(await query(`SELECT id FROM reports WHERE kind = 'daily'`)).toHaveLength(1);
    expect(await daily()).toMatchObject({ attempts: 1, possible_duplicate: false });
  });

  it('killed between the 250 and its record, sends the one unavoidable duplicate, marked', async () => {
    const lock = new pg.Client({ connectionString: database.url });
    await lock.connect();
    catcher.faults = {
      // The record has to wait for this lock: the 250 is out, and nothing is written down.
      content: async () => {
        await lock.query('BEGIN');
        await lock.query('SELECT FROM reports FOR UPDATE');
        return undefined;
      },
    };
    const beat = await start();
    await catcher.waitFor(1);
    const waiting = `FROM pg_stat_activity WHERE application_name = 'posthorn-beat-leader'
      AND datname = current_database() AND wait_event_type = 'Lock'`;
    await waitFor(
      async () => (await query(`SELECT pid ${waiting}`)).length === 1,
      'a record that waits',
    );
    await beat.kill();
    await query(`SELECT pg_terminate_backend(pid) ${waiting}`);
    await waitFor(async () => (await query(`SELECT pid ${waiting}`)).length === 0, 'its end');
    await lock.query('ROLLBACK');
    await lock.end();
    catcher.faults = {};
    expect(await daily()).toMatchObject({
      status: 'sending',
      handed_over_at: expect.any(Date) as Date,
    });

    await start();
    await becomes('sent');
    expect(await daily()).toMatchObject({ attempts: 2, possible_duplicate: true });
    expect(catcher.mails).toHaveLength(2);
    const [first, second] = catcher.mails.map(({ email }) => email);
    const mark = ({ key }: { key: string }) => key === 'x-posthorn-possible-duplicate';
    expect(second?.messageId).toBe(first?.messageId);
    expect(first?.headers.some(mark)).toBe(false);
    expect(second?.headers.some(mark)).toBe(true);
  });

  it('killed before the content left, sends it once, and nobody doubts it', async () => {
    let asked: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    catcher.faults = {
      recipient: () => {
        asked();
        return new Promise<undefined>(() => undefined);
      },
    };
    const beat = await start();
    await reached;
    await beat.kill();
    expect(await daily()).toMatchObject({ status: 'sending', handed_over_at: null });
    catcher.faults = {};
    await start();
    await becomes('sent');
    expect(await daily()).toMatchObject({ attempts: 2, possible_duplicate: false });
    expect(catcher.mails).toHaveLength(1);
  });

  it('does all its other work while a mail server hangs, and stops in time', async () => {
    let asked: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    catcher.faults = {
      content: () => {
        asked();
        return new Promise<undefined>(() => undefined);
      },
    };
    const beat = await start();
    await reached;
    const id = await addMailing(database.dataSource, { status: 'scheduled', startsIn: 0 });
    const startedAt = performance.now();
    await waitFor(async () => {
      const [row] = await query<{ status: string }>(
        'SELECT status FROM mailings WHERE id = $1',
        id,
      );
      return row?.status === 'completed';
    }, 'the end of the mailing');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    const stopping = performance.now();
    expect(await beat.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - stopping).toBeLessThan(15_000);
    expect(await daily()).toMatchObject({ status: 'pending', possible_duplicate: true });
  });

  it('keeps reports when there is no mail server, says so once, and works on', async () => {
    const beat = await start({ SMTP_URL: '' });
    await becomes('kept');
    const warnings = beat.logs.filter((line) => line.includes('SMTP_URL'));
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(warnings[0] ?? '{}')).toMatchObject({ level: 'warn', missing: ['SMTP_URL'] });
    expect(catcher.mails).toEqual([]);
  });

  it('takes a request that the API wrote down', async () => {
    await query('UPDATE report_start SET since = now()');
    await start();
    await query(
      `INSERT INTO reports (kind, key, transport, requested, date, message_id, not_before, give_up_at)
       SELECT 'daily', today::text, 'email', true, today, gen_random_uuid(), now(), now() + interval '1 day'
       FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS t`,
    );
    await query(`SELECT pg_notify('posthorn_wake', '')`);
    const [mail] = await catcher.waitFor(1);
    expect(mail?.to).toEqual(['boss@example.com']);
  });
});
