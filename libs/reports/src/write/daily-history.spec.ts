import { poolOf, type Queryable } from '@app/database';
import { addMailing, createTestDatabase, HeldReports, type TestDatabase } from '@app/testkit';
import { writeDaily } from './daily.js';
import { listReports, secondsToWait } from '../report.queries.js';
import { periodOf } from '../report-day.js';

const WHEN = { time: '09:00', timezone: 'Europe/Moscow', language: 'en' as const };
const FINISHED = 300_000;
/** 8 kB each; all of the history has some 30,000. */
const MOST_BLOCKS = 2_000;

interface Statement {
  text: string;
  values?: unknown[];
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: Plan[];
}

describe('reports after 300,000 finished mailings', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await query(
      `WITH made AS (
         INSERT INTO mailings (name, channel, lane_id, filter, start_at, end_at, status, finished_at, reported_at)
         SELECT 'old', 'notification', l.id, '{}', moment, moment + interval '1 day', 'completed',
           moment + interval '1 hour', moment + interval '1 hour'
         FROM lanes l, generate_series(1, ${FINISHED}) n,
           LATERAL (SELECT '2030-06-25'::timestamptz - make_interval(mins => 5 * n) AS moment) AS at
         WHERE l.name = 'notification' RETURNING id, finished_at
       ), counted AS (
         INSERT INTO mailing_counters (mailing_id, total, sent, planned) SELECT id, 1, 1, true FROM made
       ), active AS (
         INSERT INTO mailing_activity (mailing_id, minute, sent) SELECT id, date_trunc('minute', finished_at), 1 FROM made
       )
       INSERT INTO mailing_errors (mailing_id, hour, code, attempts, last_at)
       SELECT id, date_trunc('hour', finished_at), 'http_500', 1, finished_at FROM made`,
    );
    for (let n = 0; n < 20; n++) {
      const id = await addMailing(database.dataSource, { name: `new ${n}` });
      await query(
        `UPDATE mailings SET start_at = '2030-07-01', end_at = '2030-08-01' WHERE id = $1`,
        id,
      );
      await query(
        `INSERT INTO mailing_activity (mailing_id, minute, sent) VALUES ($1, '2030-07-01T10:00Z', 2)`,
        id,
      );
    }
    await query(
      `INSERT INTO reports (kind, key, transport, mailing_id, message_id, content, recipients, accepted, status,
         attempts, not_before, give_up_at, sent_at)
       SELECT 'completion', id || '@0', 'email', id, gen_random_uuid(), '{}', '{a@b.ru}', '{a@b.ru}', 'sent',
         1, finished_at, finished_at, finished_at FROM mailings WHERE finished_at IS NOT NULL`,
    );
    await query('ANALYZE');
  }, 120_000);
  afterAll(() => database.drop());

  const query = <T>(text: string, ...values: unknown[]): Promise<T[]> =>
    database.dataSource.query(text, values);

  it('are noticed, written, sent and listed without a look at those of before', async () => {
    const pool = poolOf(database.dataSource);
    await query(
      `INSERT INTO reports (kind, key, transport, message_id, not_before, give_up_at)
       SELECT 'completion', 'nothing', 'email', gen_random_uuid(), now(), now()`,
    );
    await query(`UPDATE lanes SET state = 'open', opened_at = '2030-07-02T05:00Z'`);
    const reports = new HeldReports({
      dataSource: database.dataSource,
      now: '2030-07-02T06:00:00Z',
    });
    await reports.since('2030-07-01T12:00:00Z');
    const queries = jest.spyOn(pool, 'query');
    await reports.run();
    await listReports(pool, { kind: 'daily', before: null, limit: 20 });
    await secondsToWait(pool, new Date(), { most: 20, seconds: 3_600 });
    const statements = queries.mock.calls.map(([statement]) => statement as unknown as Statement);
    queries.mockRestore();
    reports.close();
    expect(statements.length).toBeGreaterThan(15);
    for (const { text, values } of statements) {
      const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `EXPLAIN (FORMAT JSON) ${text}`,
        values,
      );
      const plan = rows[0]?.['QUERY PLAN'][0].Plan;
      const read = plan ? longReadsOf(plan) : ['nothing'];
      expect([text, read]).toEqual([text, []]);
    }
  });

  it('of the day read only what lies in it and in the day before', async () => {
    const pool = poolOf(database.dataSource);
    const statements: Statement[] = [];
    const recording = {
      query: (statement: Statement) => {
        statements.push(statement);
        return pool.query(statement.text, statement.values);
      },
    } as unknown as Queryable;
    const { content } = await writeDaily(
      recording,
      '2030-07-02',
      periodOf('2030-07-02', WHEN),
      WHEN,
    );
    expect(content.totals).toMatchObject({ mailings: 20, sent: 40 });
    expect(statements.length).toBeGreaterThanOrEqual(4);
    for (const { text, values } of statements) {
      const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
        values,
      );
      const plan = rows[0]?.['QUERY PLAN'][0].Plan;
      if (!plan) throw new Error('There is no plan');
      expect(scansOf(plan)).toEqual([]);
      expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(MOST_BLOCKS);
    }
  });
});

/** The tables that are read whole, by themselves or along an index. */
function longReadsOf(plan: Plan): string[] {
  const below = (plan.Plans ?? []).flatMap(longReadsOf);
  const { 'Node Type': node, 'Relation Name': table = '', 'Index Cond': condition } = plan;
  const large = /^(?:reports|mailings|mailing_)/.test(table);
  const whole = node === 'Seq Scan' || (node.startsWith('Index') && condition === undefined);
  return large && whole && !isPartial(plan['Index Name']) ? [table, ...below] : below;
}

/** Indexes of what is open: reading them whole is what they are for. */
function isPartial(index: string | undefined): boolean {
  return /_(?:open|unfinished|unreported|requested)$/.test(index ?? '');
}

/** The tables that are read from their beginning to their end. */
function scansOf(plan: Plan): string[] {
  const below = (plan.Plans ?? []).flatMap(scansOf);
  const { 'Node Type': node, 'Relation Name': table } = plan;
  return node === 'Seq Scan' && table !== undefined ? [table, ...below] : below;
}
