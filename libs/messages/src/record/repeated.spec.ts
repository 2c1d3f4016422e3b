import { NOTIFICATION_API_POLICY } from '@app/channels';
import { type MessageStatus, poolOf, type Queryable } from '@app/database';
import {
  addMailing,
  addMessages,
  createTestDatabase,
  type MessageSeed,
  type TestDatabase,
} from '@app/testkit';
import { type AttemptResult, recordOutcomesIfStillSending } from './record.queries.js';

describe('a message that may have reached its client twice', () => {
  let database: TestDatabase;
  let db: Queryable;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
  });
  afterAll(() => database.drop());

  const result = (id: number, over: Partial<AttemptResult> = {}): AttemptResult => ({
    ...{ id, attempt: 1, outcome: 'delivered', countsAsTry: true, delayMs: null, durationMs: 42 },
    ...{ httpStatus: 200, code: null, detail: null, excerpt: null },
    ...over,
  });
  const bad = (outcome: AttemptResult['outcome'], attempt = 1) => ({
    ...{ outcome, attempt, code: 'x', detail: 'x' },
  });
  const record = (results: AttemptResult[]) =>
    recordOutcomesIfStillSending(db, results, NOTIFICATION_API_POLICY);
  const stateOf = async (id: number) => {
    const [state] = await database.sql<{ status: MessageStatus; row: boolean; counter: number }>(
      `SELECT m.status, m.repeated AS row, k.repeated AS counter
       FROM messages m JOIN mailing_counters k USING (mailing_id) WHERE m.id = $1`,
      [id],
    );
    return state;
  };
  const sending = async (seeds: Partial<MessageSeed>[]) =>
    addMessages(
      database.dataSource,
      await addMailing(database.dataSource),
      seeds.map((seed) => ({ status: 'sending', ...seed })),
    );

  const doubtful: Partial<MessageSeed> = { attempts: 2, unconfirmed: true };
  const marked = { row: true, counter: 1 };
  const unmarked = { row: false, counter: 0 };

  it.each<[string, Partial<MessageSeed>, Partial<AttemptResult>, typeof marked]>([
    ['confirmed after an attempt in doubt', doubtful, { attempt: 2 }, marked],
    ['in doubt for the second time', doubtful, bad('unknown', 2), marked],
    ['confirmed while it was repeated', doubtful, { attempt: 1 }, marked],
    ['refused after an attempt in doubt', doubtful, bad('rejected', 2), unmarked],
    ['not even asked for again', doubtful, bad('unavailable', 2), unmarked],
    ['in doubt for the first time', {}, bad('unknown'), unmarked],
    [
      'confirmed late, before it was repeated',
      { status: 'pending', attempts: 1, unconfirmed: true },
      {},
      unmarked,
    ],
    ['confirmed at once', {}, {}, unmarked],
    ['marked already', { ...doubtful, repeated: true }, { attempt: 2 }, marked],
  ])('is marked and counted once: %s', async (_, seed, outcome, expected) => {
    const [id = 0, other = 0] = await sending([seed, {}]);
    await record([result(id, outcome)]);
    expect(await stateOf(id)).toMatchObject(expected);
    await record([result(other, bad('retry'))]); // and stays so
    expect(await stateOf(id)).toMatchObject(expected);
  });

  it('is marked the same beside other outcomes', async () => {
    const [id = 0, other = 0] = await sending([doubtful, {}]);
    await record([result(id, { attempt: 2 }), result(other, bad('retry'))]);
    expect(await stateOf(id)).toEqual({ status: 'sent', ...marked });
  });

  it('keeps its mark when its confirmation comes at last', async () => {
    const [id = 0] = await sending([doubtful]);
    await record([result(id, bad('unknown', 2))]);
    expect(await stateOf(id)).toEqual({ status: 'pending', ...marked });
    await record([result(id)]);
    expect(await stateOf(id)).toEqual({ status: 'sent', ...marked });
  });
});
