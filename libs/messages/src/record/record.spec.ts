import { NOTIFICATION_API_POLICY } from '@app/channels';
import { type MessageStatus, poolOf, type Queryable } from '@app/database';
import {
  addClients,
  addMailing,
  addMessages,
  countersAndRows,
  createTestDatabase,
  type MailingSeed,
  type MessageSeed,
  type TestDatabase,
} from '@app/testkit';
import { type AttemptResult, recordOutcomesIfStillSending } from './record.queries.js';

describe('the record', () => {
  let database: TestDatabase;
  let db: Queryable;
  const sql = <Row = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    database.sql<Row>(text, values);

  beforeAll(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
  });
  afterAll(() => database.drop());

  async function sending(
    seeds: Partial<MessageSeed>[] = [{}],
    attributes: MailingSeed = {},
  ): Promise<{ mailingId: number; ids: number[]; id: number }> {
    const clients = await addClients(
      database.dataSource,
      seeds.map(() => ({})),
    );
    const mailingId = await addMailing(database.dataSource, attributes);
    const ids = await addMessages(
      database.dataSource,
      mailingId,
      seeds.map((seed, index) => ({
        status: 'sending',
        clientId: clients[index] ?? 0,
        tries: 0,
        ...seed,
      })),
    );
    return { mailingId, ids, id: ids[0] ?? 0 };
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
  const bad = (outcome: AttemptResult['outcome'], over: Partial<AttemptResult> = {}) => ({
    outcome,
    code: `code_${outcome}`,
    detail: 'the words of the provider',
    excerpt: '{"code":1}',
    ...over,
  });
  const record = (results: AttemptResult[], repeatUnknown = true) =>
    recordOutcomesIfStillSending(db, results, { ...NOTIFICATION_API_POLICY, repeatUnknown });
  const row = async (id: number) => {
    const rows: Record<string, unknown>[] = await sql(
      `SELECT *, CASE WHEN isfinite(not_before) THEN extract(epoch FROM not_before - clock_timestamp())::float8
        END AS wait FROM messages WHERE id = $1`,
      [id],
    );
    return rows[0] ?? {};
  };

  it.each<[string, AttemptResult['outcome'], Partial<MessageSeed>, MailingSeed, MessageStatus]>([
    ['delivered', 'delivered', {}, {}, 'sent'],
    ['rejected', 'rejected', {}, {}, 'failed'],
    ['rejected after an unconfirmed attempt', 'rejected', { unconfirmed: true }, {}, 'unknown'],
    ['to be retried', 'retry', {}, {}, 'pending'],
    ['to be retried, but out of tries', 'retry', {}, { maxTries: 1 }, 'failed'],
    ['out of tries and unconfirmed', 'retry', { unconfirmed: true }, { maxTries: 1 }, 'unknown'],
    ['without an answer', 'unknown', {}, {}, 'pending'],
    ['without an answer and out of tries', 'unknown', {}, { maxTries: 1 }, 'unknown'],
    ['confirmed after doubt', 'delivered', { unconfirmed: true }, {}, 'sent'],
  ])('moves a message that was %s', async (_, outcome, seed, attributes, expected) => {
    const { mailingId, id } = await sending([seed], attributes);
    const moved = await record([result(id, outcome === 'delivered' ? {} : bad(outcome))]);
    expect(moved).toEqual([{ id, status: expected }]);
    const state = await countersAndRows(database.dataSource, mailingId);
    expect(state.rows).toEqual({ [expected]: 1 });
    expect(state.counters).toEqual(state.rows);
  });

  it.each<[string, Partial<MessageSeed>, number]>([
    ['under way', {}, 1],
    ['a repetition', { attempts: 2, unconfirmed: true }, 2],
    ['swept meanwhile', { status: 'pending', attempts: 1, tries: 1, unconfirmed: true }, 1],
    ['in doubt', { status: 'unknown', attempts: 2, tries: 2, unconfirmed: true }, 1],
    ['failed meanwhile', { status: 'failed', attempts: 1, tries: 1 }, 1],
    ['never tried so often', { attempts: 1 }, 2],
  ])(
    'makes the same of a delivery alone as beside another outcome: %s',
    async (_, seed, attempt) => {
      const left = await Promise.all(
        ['alone', 'beside'].map(async (how) => {
          const { mailingId, ids } = await sending([seed, {}]);
          const [id = 0, other = 0] = ids;
          const delivered = result(id, { attempt });
          const others = [result(other, bad('rejected'))];
          await record(how === 'alone' ? [delivered] : [delivered, ...others]);
          if (how === 'alone') await record(others);
          const { status, tries, attempts, unconfirmed, repeated, latency_ms, address } =
            await row(id);
          const { rows, counters } = await countersAndRows(database.dataSource, mailingId);
          const activity: unknown[] = await sql(
            'SELECT sent, failed, bad_attempts FROM mailing_activity WHERE mailing_id = $1',
            [mailingId],
          );
          expect(counters).toEqual(rows);
          return {
            status,
            tries,
            attempts,
            unconfirmed,
            repeated,
            latency_ms,
            address,
            rows,
            activity,
          };
        }),
      );
      expect(left[0]).toEqual(left[1]);
    },
  );

  it('ends an unanswered attempt as unknown on a channel without message ids', async () => {
    const { id } = await sending();
    expect(await record([result(id, bad('unknown'))], false)).toEqual([{ id, status: 'unknown' }]);
    expect(await row(id)).toMatchObject({ unconfirmed: true, tries: 1 });
  });

  it('keeps what was sent, when, and how long it took', async () => {
    const { id } = await sending();
    await record([result(id, { durationMs: 123 })]);
    expect(await row(id)).toMatchObject({ latency_ms: 123, tries: 1, lease_until: null });
    expect((await row(id)).sent_at).toBeInstanceOf(Date);
    expect(await sql('SELECT 1 FROM delivery_attempts WHERE message_id = $1', [id])).toEqual([]);
  });

  it("keeps the provider's words with an attempt that did not deliver", async () => {
    const { mailingId, id } = await sending();
    await record([result(id, bad('retry', { httpStatus: 503, durationMs: 7 }))]);
    const attempts: unknown[] = await sql('SELECT * FROM delivery_attempts WHERE message_id = $1', [
      id,
    ]);
    expect(attempts).toEqual([
      expect.objectContaining({
        attempt: 1,
        outcome: 'retry',
        http_status: 503,
        duration_ms: 7,
        error_code: 'code_retry',
        error: 'the words of the provider',
        excerpt: '{"code":1}',
        content_version: 1,
      }),
    ]);
    expect(
      await sql('SELECT code, attempts FROM mailing_errors WHERE mailing_id = $1', [mailingId]),
    ).toEqual([{ code: 'code_retry', attempts: 1 }]);
  });

  it.each(NOTIFICATION_API_POLICY.retryScheduleS.map((seconds, tries) => [tries + 1, seconds]))(
    'waits after %i tries for %i s, give or take a fifth',
    async (tries, seconds) => {
      const { ids } = await sending(
        Array.from({ length: 20 }, () => ({ attempts: tries, tries: tries - 1 })),
      );
      await record(ids.map((id) => result(id, bad('retry', { attempt: tries }))));
      const waits = await Promise.all(ids.map(async (id) => Number((await row(id)).wait)));
      for (const wait of waits) {
        expect(wait).toBeGreaterThan(seconds * 0.8 - 2);
        expect(wait).toBeLessThanOrEqual(seconds * 1.2);
      }
      expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(seconds * 0.05);
    },
  );

  it('uses no try for an attempt that the provider never saw, and waits as given', async () => {
    const { id } = await sending([{}], { maxTries: 1 });
    await record([result(id, bad('unavailable', { countsAsTry: false, delayMs: 60_000 }))]);
    const after = await row(id);
    expect(after).toMatchObject({ status: 'pending', tries: 0, attempts: 1 });
    expect(Number(after.wait)).toBeGreaterThan(55);
    expect(Number(after.wait)).toBeLessThanOrEqual(60);
  });

  it('keeps where an attempt went, whatever came of it', async () => {
    const { ids } = await sending([
      { address: '79990001122' },
      { address: '79990001133' },
      { address: '79990001144' },
    ]);
    const outcomes = [{}, bad('unknown'), bad('rejected')];
    await record(ids.map((id, index) => result(id, outcomes[index])));
    const addresses = await Promise.all(ids.map(async (id) => (await row(id)).address));
    expect(addresses).toEqual(['79990001122', '79990001133', '79990001144']);
  });

  it('does not bring back the number of a client who was deleted meanwhile', async () => {
    const { id } = await sending();
    await record([result(id, bad('unknown'))]);
    expect(await row(id)).toMatchObject({ address: null, unconfirmed: true });
  });

  describe('behind the fence', () => {
    it.each(['rejected', 'retry', 'unavailable', 'unknown'] as const)(
      'ignores that an earlier attempt was %s',
      async (outcome) => {
        const { mailingId, id } = await sending([{ attempts: 2 }]);
        expect(await record([result(id, bad(outcome, { attempt: 1 }))])).toEqual([]);
        expect((await countersAndRows(database.dataSource, mailingId)).rows).toEqual({
          sending: 1,
        });
        expect(await sql('SELECT 1 FROM delivery_attempts WHERE message_id = $1', [id])).toEqual(
          [],
        );
      },
    );

    it.each(['pending', 'failed', 'cancelled', 'expired', 'unknown', 'sent'] as const)(
      'ignores a second result of an attempt whose message is %s',
      async (status) => {
        const { mailingId, id } = await sending([{ status, attempts: 1 }]);
        expect(await record([result(id, bad('retry'))])).toEqual([]);
        expect((await countersAndRows(database.dataSource, mailingId)).rows).toEqual({
          [status]: 1,
        });
      },
    );

    it('lets a late confirmation win over the sweep of that attempt', async () => {
      const { mailingId, id } = await sending();
      await record([result(id, bad('unknown'))]);
      expect(await record([result(id)])).toEqual([{ id, status: 'sent' }]);
      const state = await countersAndRows(database.dataSource, mailingId);
      expect(state.rows).toEqual({ sent: 1 });
      expect(state.counters).toEqual(state.rows);
    });

    it('lets a late confirmation win even when the next attempt is under way, and then ignores that', async () => {
      const { id } = await sending([{ attempts: 2, unconfirmed: true }]);
      expect(await record([result(id, { attempt: 1 })])).toEqual([{ id, status: 'sent' }]);
      expect(await record([result(id, bad('rejected', { attempt: 2 }))])).toEqual([]);
      expect(await row(id)).toMatchObject({ status: 'sent' });
    });

    it('does not believe a confirmation of an attempt that has not been made', async () => {
      const { id } = await sending([{ attempts: 1 }]);
      expect(await record([result(id, { attempt: 2 })])).toEqual([]);
    });

    it('does not change a cancelled or failed message', async () => {
      const { ids } = await sending([{ status: 'cancelled' }, { status: 'failed' }]);
      expect(await record(ids.map((id) => result(id)))).toEqual([]);
    });
  });

  it('counts a batch over several mailings in one go, minute by minute', async () => {
    const a = await sending([{}, {}, {}]);
    const b = await sending([{}, {}, {}]);
    await record([
      ...a.ids.map((id, index) => result(id, index === 0 ? bad('rejected') : {})),
      // That the provider as a whole is not there counts against no mailing.
      ...b.ids.map((id, index) => result(id, bad(index === 0 ? 'unavailable' : 'retry'))),
    ]);
    expect((await countersAndRows(database.dataSource, a.mailingId)).counters).toEqual({
      sent: 2,
      failed: 1,
    });
    expect((await countersAndRows(database.dataSource, b.mailingId)).counters).toEqual({
      pending: 3,
    });
    const activity: unknown[] = await sql(
      `SELECT mailing_id, sum(sent)::int AS sent, sum(failed)::int AS failed, sum(bad_attempts)::int AS bad
       FROM mailing_activity WHERE mailing_id IN ($1, $2) GROUP BY 1 ORDER BY 1`,
      [a.mailingId, b.mailingId],
    );
    expect(activity).toEqual([
      { mailing_id: a.mailingId, sent: 2, failed: 1, bad: 1 },
      { mailing_id: b.mailingId, sent: 0, failed: 0, bad: 2 },
    ]);
  });

  it('still settles the messages of a mailing that was deleted meanwhile', async () => {
    const { mailingId, id } = await sending();
    await sql('DELETE FROM mailing_counters WHERE mailing_id = $1', [mailingId]);
    expect(await record([result(id)])).toEqual([{ id, status: 'sent' }]);
  });
});
