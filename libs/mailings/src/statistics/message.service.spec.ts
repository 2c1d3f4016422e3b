import { encodeCursor, MESSAGE_STATUSES, poolOf } from '@app/database';
import {
  addClients,
  addMailing,
  addMessages,
  createTestDatabase,
  type MessageSeed,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import { MailingService } from '../mailing/mailing.service.js';
import { type MessageListQuery, MessageService } from './message.service.js';

let database: TestDatabase;
let messages: MessageService;

beforeAll(async () => {
  database = await createTestDatabase();
  messages = new MessageService(database);
});
afterAll(() => database.drop());

async function walk(query: Omit<MessageListQuery, 'cursor'>): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await messages.list({ ...query, ...(cursor && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(query.limit);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor);
  return ids;
}

describe('the messages of a mailing', () => {
  const seeds: MessageSeed[] = MESSAGE_STATUSES.flatMap((status) =>
    ['Europe/Moscow', 'Asia/Omsk'].flatMap((timezone) =>
      [undefined, -3, -3, 0.0001, 7].map((notBeforeIn) => ({
        status,
        timezone,
        ...(notBeforeIn !== undefined && { notBeforeIn }),
      })),
    ),
  );
  let mailingId: number;
  let ids: number[];

  beforeAll(async () => {
    mailingId = await addMailing(database.dataSource);
    ids = await addMessages(database.dataSource, mailingId, seeds);
    const other = await addMailing(database.dataSource);
    await addMessages(database.dataSource, other, [{ status: 'pending' }]);
  });

  it.each([1, 3, 500])('are each met once in pages of %i', async (limit) => {
    expect(await walk({ mailingId, limit })).toEqual(ids);
  });

  it.each([1, 3, 500])('with one status are each met once in pages of %i', async (limit) => {
    for (const status of MESSAGE_STATUSES) {
      const wanted = ids.filter((_, n) => seeds[n]?.status === status);
      const found = await walk({ mailingId, status, limit });
      expect(found.sort((one, other) => one - other)).toEqual(wanted);
    }
  });

  it('carry where they went, before that the phone of today, or none when the client was deleted', async () => {
    const mailing = await addMailing(database.dataSource);
    const [moved = 0, waiting = 0] = await addClients(database.dataSource, [
      { phone: '79160000001' },
      { phone: '79160000002' },
    ]);
    const [sent, next, orphan] = await addMessages(database.dataSource, mailing, [
      { status: 'sent', clientId: moved, address: '79160000009' },
      { status: 'pending', clientId: waiting },
      { status: 'pending', notBeforeIn: 5 },
    ]);
    const { items } = await messages.list({ mailingId: mailing, limit: 10 });
    expect(items).toMatchObject([
      { id: sent, clientId: moved, phone: '79160000009', status: 'sent', latencyMs: 12 },
      { id: next, phone: '79160000002', status: 'pending', nextAttemptAt: null },
      { id: orphan, phone: null, status: 'pending', sentAt: null },
    ]);
    expect(items[2]?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now());
    for (const { createdAt } of items) {
      expect(Math.abs(createdAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
  });

  it('can be narrowed to those that may have arrived twice, of one status or of all', async () => {
    const mailing = await addMailing(database.dataSource);
    const made = await addMessages(database.dataSource, mailing, [
      { status: 'sent' },
      { status: 'sent', repeated: true },
      { status: 'pending', repeated: true, attempts: 2, unconfirmed: true },
      { status: 'sent', repeated: true },
    ]);
    const found = await walk({ mailingId: mailing, repeated: true, limit: 1 });
    expect(found).toEqual([made[2], made[1], made[3]]);
    expect(await walk({ mailingId: mailing, repeated: true, status: 'sent', limit: 1 })).toEqual([
      ...[made[1], made[3]],
    ]);
  });

  it('can be narrowed to the one that a phone of today got', async () => {
    const mailing = await addMailing(database.dataSource);
    const clients = await addClients(database.dataSource, [{ phone: '79160000011' }, {}]);
    const made = await addMessages(
      database.dataSource,
      mailing,
      clients.map((clientId) => ({ status: 'sent', clientId })),
    );
    const query = { mailingId: mailing, limit: 10, phone: '79160000011' };
    expect((await messages.list(query)).items.map(({ id }) => id)).toEqual([made[0]]);
    expect((await messages.list({ ...query, status: 'failed' })).items).toEqual([]);
    expect((await messages.list({ ...query, repeated: true })).items).toEqual([]);
    expect((await messages.list({ ...query, phone: '79169999999' })).items).toEqual([]);
  });

  it.each([
    ['pending', '', [1]],
    ['pending', '?status=pending', [null, null, 1]],
    ['pending', '?status=pending', [4294967296, null, 1]],
    ['pending', '?status=failed', [1, null, 1]],
    [undefined, '', [1, null, 1]],
  ] as const)('refuse, with status %s, the cursor %s%j', async (status, list, key) => {
    const cursor = encodeCursor(`mailings/${mailingId}/messages${list}`, key);
    const query = { mailingId, limit: 5, cursor, ...(status && { status }) };
    await expect(messages.list(query)).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ path: 'cursor' }],
    });
  });

  it('take any cursor that has the right shape, however far off', async () => {
    const list = `mailings/${mailingId}/messages?status=sent`;
    for (const us of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      const cursor = encodeCursor(list, [1, us, 1]);
      await expect(
        messages.list({ mailingId, status: 'sent', limit: 5, cursor }),
      ).resolves.toBeDefined();
    }
  });

  it('are deleted with the mailing', async () => {
    const mailing = await addMailing(database.dataSource);
    const [message = 0] = await addMessages(database.dataSource, mailing, [{ status: 'sent' }]);
    await new MailingService(database, unheard).delete(someActor, mailing);
    const gone = { code: 'not_found' };
    await expect(messages.list({ mailingId: mailing, limit: 1 })).rejects.toMatchObject(gone);
    await expect(messages.get(message)).rejects.toMatchObject(gone);
  });
});

describe('one message', () => {
  it('has its attempts in order and its next step', async () => {
    const mailing = await addMailing(database.dataSource);
    const [id = 0] = await addMessages(database.dataSource, mailing, [
      { status: 'pending', attempts: 2, notBeforeIn: 5 },
    ]);
    await poolOf(database.dataSource).query(
      `INSERT INTO delivery_attempts (message_id, attempt, at, duration_ms, outcome, http_status,
         error_code, error, content_version, excerpt) VALUES
       ($1, 2, '2030-01-01T10:01Z', 15000, 'unknown', NULL, 'timeout', 'no answer', 1, NULL),
       ($1, 1, '2030-01-01T10:00Z', 20, 'retry', 503, 'http_503', 'unavailable', 1, 'sorry')`,
      [id],
    );
    const message = await messages.get(id);
    expect(message.deliveryAttempts).toEqual([
      {
        attempt: 1,
        at: new Date('2030-01-01T10:00Z'),
        durationMs: 20,
        outcome: 'retry',
        httpStatus: 503,
        errorCode: 'http_503',
        error: 'unavailable',
        textVersion: 1,
        excerpt: 'sorry',
      },
      expect.objectContaining({ attempt: 2, outcome: 'unknown', httpStatus: null }),
    ]);
    expect(message.next).toEqual({ what: 'next_attempt', at: message.nextAttemptAt });
  });

  it('is not found when there is none', async () => {
    await expect(messages.get(987_654)).rejects.toMatchObject({ code: 'not_found' });
  });
});
