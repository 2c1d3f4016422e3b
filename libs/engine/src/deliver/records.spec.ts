import { NOTIFICATION_API_POLICY } from '@app/channels';
import { poolOf, type Queryable, type Statement } from '@app/database';
import { createLogger, metrics, systemClock } from '@app/platform';
import {
  addClients,
  addMailing,
  addMessages,
  countersAndRows,
  createTestDatabase,
  type TestDatabase,
  waitFor,
} from '@app/testkit';
import { FinishService } from '../finish/finish.service.js';
import type { AttemptResult } from '@app/messages';
import { Records } from './records.js';

describe('records that the database refuses', () => {
  let database: TestDatabase;
  let db: Queryable;
  let statements: number;
  let records: Records;
  /** What the database answers in the place of taking a statement. */
  let refuses: (statement: Statement) => string | null;
  const logger = createLogger('test', 'silent');
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);

  beforeAll(async () => {
    database = await createTestDatabase();
    const pool = poolOf(database.dataSource);
    db = {
      query: <Row extends object>(statement: Statement) => {
        statements++;
        const code = refuses(statement);
        if (code !== null) return Promise.reject(Object.assign(new Error('refused'), { code }));
        return pool.query<Row>(statement);
      },
    };
  });
  beforeEach(() => {
    statements = 0;
    refuses = () => null;
    records = new Records({ db, policy: NOTIFICATION_API_POLICY, clock: systemClock, logger });
  });
  afterEach(() => records.close());
  afterAll(() => database.drop());

  async function sending(count: number): Promise<{ mailingId: number; ids: number[] }> {
    const clients = await addClients(
      database.dataSource,
      Array.from({ length: count }, () => ({})),
    );
    const mailingId = await addMailing(database.dataSource);
    const ids = await addMessages(
      database.dataSource,
      mailingId,
      clients.map((clientId) => ({ status: 'sending', clientId, tries: 0 })),
    );
    return { mailingId, ids };
  }
  const result = (id: number, over: Partial<AttemptResult> = {}): AttemptResult => ({
    id,
    attempt: 1,
    outcome: 'delivered',
    countsAsTry: true,
    delayMs: null,
    durationMs: 42,
    httpStatus: 200,
    code: null,
    detail: null,
    excerpt: null,
    ...over,
  });
  const statuses = async (ids: number[]): Promise<string[]> => {
    const rows: { status: string }[] = await sql(
      'SELECT status FROM messages WHERE id = ANY ($1) ORDER BY id',
      [ids],
    );
    return rows.map(({ status }) => status);
  };
  const age = async (): Promise<number> => {
    const name = 'posthorn_oldest_unrecorded_outcome_age_seconds';
    const { values } = (await metrics.getSingleMetric(name)?.get()) ?? { values: [] };
    return values[0]?.value ?? NaN;
  };
  /** Its counters say that nothing is on its way, which the next record would make negative. */
  const moveByHand = (mailingId: number) =>
    sql('UPDATE mailing_counters SET sending = 0, total = total - sending WHERE mailing_id = $1', [
      mailingId,
    ]);
  const setCounter = (mailingId: number, count: number) =>
    sql(
      'UPDATE mailing_counters SET sending = $2, total = total - sending + $2 WHERE mailing_id = $1',
      [mailingId, count],
    );

  it('delay no other result: the batch is halved down to them', async () => {
    const good = await sending(20);
    const bad = await sending(1);
    await moveByHand(bad.mailingId);
    const moved = await Promise.all([
      ...good.ids.slice(0, 10).map((id) => records.record(result(id), good.mailingId)),
      ...bad.ids.map((id) => records.record(result(id), bad.mailingId)),
      ...good.ids.slice(10).map((id) => records.record(result(id), good.mailingId)),
    ]);
    expect(moved.filter((row) => row === null)).toHaveLength(1);
    expect(new Set(await statuses(good.ids))).toEqual(new Set(['sent']));
    expect(await statuses(bad.ids)).toEqual(['sending']);
    expect(await age()).toBeGreaterThan(0);
  });

  it('are written down by themselves as soon as the database takes them', async () => {
    const { mailingId, ids } = await sending(5);
    await moveByHand(mailingId);
    await Promise.all(ids.map((id) => records.record(result(id), mailingId)));
    expect(new Set(await statuses(ids))).toEqual(new Set(['sending']));
    await setCounter(mailingId, 5);
    await waitFor(async () => (await statuses(ids)).every((status) => status === 'sent'), {
      timeoutMs: 10_000,
      what: 'all are written down',
    });
    const { rows, counters } = await countersAndRows(database.dataSource, mailingId);
    expect(counters).toEqual(rows);
    expect(await age()).toBe(0);
  });

  it('cost few statements when all of a mailing is refused, which then is blocked', async () => {
    const { mailingId, ids } = await sending(200);
    await moveByHand(mailingId);
    expect(records.isBlocked(mailingId)).toBe(false);
    await Promise.all(ids.map((id) => records.record(result(id), mailingId)));
    expect(statements).toBeLessThan(60);
    expect(records.isBlocked(mailingId)).toBe(true);
    await setCounter(mailingId, 200);
  });

  it('are recorded without the words that the database cannot store', async () => {
    const { mailingId, ids } = await sending(3);
    refuses = ({ values }) => (JSON.stringify(values).includes('😀') ? '22P05' : null);
    const retry = { outcome: 'retry', code: 'http_503' } as const;
    await Promise.all(
      ids.map((id, index) =>
        records.record(
          result(id, { ...retry, detail: index === 1 ? 'later 😀' : 'later', excerpt: 'x' }),
          mailingId,
        ),
      ),
    );
    expect(await statuses(ids)).toEqual(['pending', 'pending', 'pending']);
    const words = await sql(
      'SELECT error, excerpt FROM delivery_attempts WHERE message_id = ANY ($1) ORDER BY message_id',
      [ids],
    );
    expect(words).toEqual([
      { error: 'later', excerpt: 'x' },
      { error: 'What was said could not be stored', excerpt: null },
      { error: 'later', excerpt: 'x' },
    ]);
  });

  it('stay with their batch while the database is away', async () => {
    const { mailingId, ids } = await sending(2);
    let outages = 2;
    refuses = () => (outages-- > 0 ? '57P03' : null);
    await Promise.all(ids.map((id) => records.record(result(id), mailingId)));
    expect(statements).toBe(3);
    expect(await statuses(ids)).toEqual(['sent', 'sent']);
  });

  it('do not stop the sweep of other mailings', async () => {
    const good = await sending(3);
    const bad = await sending(3);
    await moveByHand(bad.mailingId);
    await sql('UPDATE mailing_counters SET sending = 1, total = total + 1 WHERE mailing_id = $1', [
      bad.mailingId,
    ]);
    await sql(
      `UPDATE messages SET lease_until = now() - interval '1 s' WHERE mailing_id IN ($1, $2)`,
      [good.mailingId, bad.mailingId],
    );
    const finish = new FinishService(db, logger);
    expect(await finish.sweep()).toBeGreaterThanOrEqual(3);
    expect(new Set(await statuses(good.ids))).toEqual(new Set(['pending']));
    const before = statements;
    expect(await finish.sweep()).toBe(0); // the other one waits
    expect(statements - before).toBe(1);
  });
});
