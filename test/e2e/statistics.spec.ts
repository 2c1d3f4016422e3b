import { poolOf } from '@app/database';
import { addClients, addMailing, addMessages } from '@app/testkit';
import { type ApiUnderTest, startApi } from './mailings-fixture.js';

let api: ApiUnderTest;
let mailingId: number;
let ids: number[];

const NONE = { pending: 0, sending: 0, sent: 0, failed: 0, expired: 0, cancelled: 0, unknown: 0 };

beforeAll(async () => {
  api = await startApi();
  const { dataSource } = api.database;
  mailingId = await addMailing(dataSource, { name: 'told', status: 'completed' });
  const [clientId = 0] = await addClients(dataSource, [{ phone: '79160000001' }]);
  ids = await addMessages(dataSource, mailingId, [
    { status: 'sent', clientId, address: '79160000009', repeated: true },
    { status: 'sent' },
    { status: 'failed', attempts: 2 },
  ]);
  await poolOf(dataSource).query(
    `INSERT INTO mailing_errors (mailing_id, hour, code, attempts, detail, last_at)
     VALUES ($1, '2030-01-01T10:00Z', 'http_400', 2, 'no such phone', '2030-01-01T10:00Z')`,
    [mailingId],
  );
  await poolOf(dataSource).query(
    `INSERT INTO delivery_attempts (message_id, attempt, at, outcome, http_status, error_code, error)
     VALUES ($1, 1, '2030-01-01T10:00Z', 'rejected', 400, 'http_400', 'no such phone')`,
    [ids[2]],
  );
});
afterAll(() => api.close());

describe('GET /mailings/statistics', () => {
  it('counts messages by status over all mailings and per mailing', async () => {
    const empty = await addMailing(api.database.dataSource, { name: 'empty' });
    const { status, body } = await api.call('GET', '/mailings/statistics/');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      totals: { mailings: 2, total: 3, repeated: 1, counts: { ...NONE, sent: 2, failed: 1 } },
      items: [
        { id: empty, name: 'empty', status: 'running', total: 0, repeated: 0, counts: NONE },
        {
          id: mailingId,
          name: 'told',
          total: 3,
          repeated: 1,
          counts: { ...NONE, sent: 2, failed: 1 },
        },
      ],
      nextCursor: null,
    });
  });

  it('reads on by cursor with the same totals', async () => {
    const first = await api.call('GET', '/mailings/statistics?limit=1');
    const { nextCursor, totals } = first.body as { nextCursor: string; totals: unknown };
    const second = await api.call('GET', `/mailings/statistics?limit=1&cursor=${nextCursor}`);
    expect(second.body).toMatchObject({ totals, items: [{ id: mailingId }], nextCursor: null });
  });
});

describe('GET /mailings/{id}/statistics', () => {
  it('tells counts, errors by reason, speed and the end', async () => {
    const { status, body } = await api.call('GET', `/mailings/${mailingId}/statistics`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: mailingId,
      status: 'completed',
      total: 3,
      repeated: 1,
      counts: { ...NONE, sent: 2, failed: 1 },
      planned: true,
      progress: 1,
      throughput: { lastMinute: 0, perSecond: 0, averagePerSecond: 0 },
      errors: [
        {
          code: 'http_400',
          attempts: 2,
          detail: 'no such phone',
          lastAt: '2030-01-01T10:00:00.000Z',
        },
      ],
    });
    const { forecast, finishedAt } = body as { forecast: string; finishedAt: string };
    expect(forecast).toBe(finishedAt);
  });
});

describe('the messages', () => {
  it('are listed by status, with the phone, and one by one with their attempts', async () => {
    const sent = await api.call('GET', `/mailings/${mailingId}/messages?status=sent&limit=1`);
    const { items, nextCursor } = sent.body as { items: { id: number }[]; nextCursor: string };
    expect(items).toMatchObject([
      { id: ids[0], phone: '79160000009', status: 'sent', attempts: 1, repeated: true },
    ]);
    expect(items[0]).toHaveProperty('createdAt', expect.stringMatching(/^\d{4}-.*Z$/));
    expect(items[0]).not.toHaveProperty('zoneId');
    const rest = await api.call(
      'GET',
      `/mailings/${mailingId}/messages?status=sent&limit=1&cursor=${nextCursor}`,
    );
    expect(rest.body).toMatchObject({ items: [{ id: ids[1], phone: null }], nextCursor: null });

    expect((await api.call('GET', `/messages/${ids[2] ?? 0}`)).body).toMatchObject({
      id: ids[2],
      status: 'failed',
      attempts: 2,
      deliveryAttempts: [
        { attempt: 1, outcome: 'rejected', httpStatus: 400, error: 'no such phone' },
      ],
      next: { what: 'final', words: 'Nothing, this is final', at: null },
    });
  });

  it.each<[string, number[]]>([
    ['repeated=true', [0]],
    ['repeated=true&status=sent', [0]],
    ['repeated=true&status=failed', []],
    ['phone=79160000001', [0]], // the phone of the client, not where the message went
    ['phone=79160000009', []],
    ['phone=79160000001&status=failed', []],
  ])('are narrowed by %s', async (query, wanted) => {
    const { status, body } = await api.call('GET', `/mailings/${mailingId}/messages?${query}`);
    expect(status).toBe(200);
    const { items } = body as { items: { id: number }[] };
    expect(items.map(({ id }) => id)).toEqual(wanted.map((index) => ids[index]));
  });

  it.each(['repeated=false', 'repeated=1', 'phone=8916', 'phone='])('refuse %s', async (query) => {
    const { status, body } = await api.call('GET', `/mailings/${mailingId}/messages?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ path: query.split('=')[0] }] });
  });

  it('refuse a cursor of another list and an unknown status', async () => {
    const all = await api.call('GET', `/mailings/${mailingId}/messages?limit=1`);
    const { nextCursor } = all.body as { nextCursor: string };
    for (const query of [`status=sent&cursor=${nextCursor}`, 'cursor=x', 'status=lost']) {
      expect((await api.call('GET', `/mailings/${mailingId}/messages?${query}`)).status).toBe(400);
    }
  });
});
