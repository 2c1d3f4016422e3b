import { addMailing } from '@app/testkit';
import { type ApiUnderTest, newMailing, startApi, wrongFields } from './mailings-fixture.js';

let api: ApiUnderTest;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const today = () => new Date(Date.now() + 3 * 3_600_000).toISOString().slice(0, 10);
const query = (text: string, ...values: unknown[]) => api.database.dataSource.query(text, values);

describe('POST /reports/{date}/send', () => {
  it('only writes down what is wanted and answers at once', async () => {
    const { status, body } = await api.call('POST', `/reports/${today()}/send`);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      kind: 'daily',
      key: today(),
      date: today(),
      transport: 'email',
      requested: true,
      status: 'pending',
      attempts: 0,
      from: null,
      possibleDuplicate: false,
      sentAt: null,
    });
    const day = await api.call('GET', `/reports/${today()}/`);
    expect(day.body).toEqual({ date: today(), content: null, reports: [body] });
  });

  it('refuses days that have not come, and what is no day', async () => {
    expect(await api.call('POST', '/reports/2999-01-01/send')).toMatchObject({ status: 422 });
    for (const date of ['2030-02-30', 'today', '2030-1-1', '20300101']) {
      const answer = await api.call('POST', `/reports/${date}/send`);
      expect([date, answer.status, wrongFields(answer)]).toEqual([date, 400, ['date']]);
    }
  });
});

describe('the days of reports', () => {
  const send = (date: string) => api.call('POST', `/reports/${date}/send`);
  const later = (days: number) => {
    const day = new Date(`${today()}T00:00:00Z`);
    return new Date(day.getTime() + days * 86_400_000).toISOString().slice(0, 10);
  };

  it('are those of SERVER_TIMEZONE: one that has not begun there is refused with the day that it is', async () => {
    // In Moscow tomorrow begins somewhere on Earth at 13:00.
    const { status, body } = await send(later(1));
    expect(status).toBe(422);
    expect(body).toMatchObject({
      detail: `${later(1)} has not begun: in Europe/Moscow, by which reports are dated, it is ${today()}`,
      errors: [{ path: 'date', message: `must not be after ${today()}` }],
    });
  });

  it('are those of a calendar that the database knows', async () => {
    for (const date of ['0000-01-01', '0001-01-01', '1999-12-31']) {
      for (const answer of [await api.call('GET', `/reports/${date}`), await send(date)]) {
        expect([date, answer.status, wrongFields(answer)]).toEqual([date, 400, ['date']]);
      }
    }
    expect(await api.call('GET', '/reports/9999-12-31')).toMatchObject({ status: 404 });
  });
});

describe('the number of reports that are asked for', () => {
  const send = () => api.call('POST', `/reports/${today()}/send`);

  it('is 20 within an hour at most, however many ask at once', async () => {
    await query('DELETE FROM reports WHERE requested');
    const answers = await Promise.all(Array.from({ length: 25 }, send));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array.from({ length: 20 }, () => 202),
      ...Array.from({ length: 5 }, () => 429),
    ]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ type: 'urn:posthorn:problem:too_many_requests' });
    const wait = Number(refused?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(3_500);
    expect(wait).toBeLessThanOrEqual(3_600);

    await query(`UPDATE reports SET created_at = created_at - interval '1 hour' WHERE id IN (
      SELECT min(id) FROM reports WHERE requested)`);
    expect((await send()).status).toBe(202);
    expect((await send()).status).toBe(429);
  });
});

describe('GET /reports', () => {
  it('tells what was sent, to whom, when and what the mail server said', async () => {
    const activity = { sent: 3, failed: 1, expired: 0, cancelled: 0, unknown: 0 };
    const content = {
      kind: 'daily',
      date: '2026-01-02',
      from: '2026-01-01T06:00:00.000Z',
      to: '2026-01-02T06:00:00.000Z',
      totals: { mailings: 1, pending: 2, ...activity },
      before: { mailings: 0, ...activity, sent: 0, failed: 0 },
      mailings: [{ id: 1, name: 'sale', status: 'running', pending: 2, total: 6, ...activity }],
      unlisted: 0,
      reasons: [{ code: 'http_400', attempts: 1, detail: null }],
    };
    await query(
      `INSERT INTO reports (kind, key, transport, date, message_id, content, recipients, accepted, refused,
         status, attempts, not_before, give_up_at, sent_at, answer)
       VALUES ('daily', '2026-01-02', 'email', '2026-01-02', gen_random_uuid(), $1,
         '{a@example.com,b@example.com}', '{a@example.com}',
         '[{"recipient": "b@example.com", "answer": "550 No such user"}]', 'sent', 2, now(), now(),
         '2026-01-02T06:00:01Z', '250 Ok')`,
      JSON.stringify(content),
    );
    const { status, body } = await api.call('GET', '/reports/2026-01-02');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      date: '2026-01-02',
      content: {
        totals: { sent: 3, successRate: 0.75, pending: 2 },
        before: { sent: 0, successRate: null },
        mailings: [{ id: 1, name: 'sale', successRate: 0.75 }],
        reasons: content.reasons,
      },
      reports: [
        {
          status: 'sent',
          requested: false,
          recipients: ['a@example.com', 'b@example.com'],
          accepted: ['a@example.com'],
          refused: [{ recipient: 'b@example.com', answer: '550 No such user' }],
          attempts: 2,
          nextAttemptAt: null,
          sentAt: '2026-01-02T06:00:01.000Z',
          answer: '250 Ok',
        },
      ],
    });
  });

  it('lists newest first, page by page, of one kind if asked', async () => {
    const first = await api.call('GET', '/reports?limit=1&kind=daily');
    const { items, nextCursor } = first.body as { items: { id: number }[]; nextCursor: string };
    const second = await api.call('GET', `/reports?limit=1&kind=daily&cursor=${nextCursor}`);
    const [older] = (second.body as { items: { id: number }[] }).items;
    expect(older?.id).toBeLessThan(items[0]?.id ?? 0);
    expect((await api.call('GET', '/reports?kind=completion')).body).toEqual({
      items: [],
      nextCursor: null,
    });
    expect(await api.call('GET', '/reports?kind=weekly')).toMatchObject({ status: 400 });
  });

  it('does not know a day without a report', async () => {
    expect(await api.call('GET', '/reports/2026-01-03')).toMatchObject({ status: 404 });
  });
});

describe('the report of a mailing', () => {
  it('is on unless it is switched off, and may go to more people', async () => {
    const plain = await api.call('POST', '/mailings', newMailing());
    expect(plain.body).toMatchObject({ report: true, reportTo: [] });

    const wanted = { report: false, reportTo: ['a@example.com'] };
    const made = await api.call('POST', '/mailings', newMailing(wanted));
    expect(made).toMatchObject({ status: 201, body: wanted });
    const { id } = made.body as { id: number };
    const patched = await api.call('PATCH', `/mailings/${id}`, { reportTo: [], report: true });
    expect(patched).toMatchObject({ status: 200, body: { reportTo: [], report: true } });
    const wrong = newMailing({ report: 'no', reportTo: ['a@example.com', 'nobody'] });
    expect(wrongFields(await api.call('POST', '/mailings', wrong))).toEqual([
      'report',
      'reportTo[1]',
    ]);
  });

  it('goes to each address once, in its canonical form', async () => {
    const reportTo = ['Team@Example.COM', 'team@example.com', 'a@почта.рф'];
    const made = await api.call('POST', '/mailings', newMailing({ reportTo }));
    const canonical = ['team@example.com', 'a@xn--80a1acny.xn--p1ai'];
    expect(made).toMatchObject({ status: 201, body: { reportTo: canonical } });
  });

  it('goes to 10 more people at most, and to addresses without control characters', async () => {
    const people = Array.from({ length: 11 }, (_, n) => `a${n}@example.com`);
    const many = await api.call('POST', '/mailings', newMailing({ reportTo: people }));
    expect([many.status, wrongFields(many)]).toEqual([400, ['reportTo']]);
    const evil = ['"a\u0001b"@example.com', '"a b"@example.com', 'a\r\nBcc: x@y.ru@example.com'];
    const wrong = await api.call(
      'POST',
      '/mailings',
      newMailing({ reportTo: ['a@b.ru', ...evil] }),
    );
    expect([wrong.status, wrongFields(wrong)]).toEqual([
      400,
      ['reportTo[1]', 'reportTo[2]', 'reportTo[3]'],
    ]);
  });

  it('can no longer change when the mailing is over', async () => {
    const id = await addMailing(api.database.dataSource, { status: 'completed' });
    const answer = await api.call('PATCH', `/mailings/${id}`, {
      report: false,
      reportTo: ['a@example.com'],
    });
    expect(answer.status).toBe(409);
    expect(wrongFields(answer)).toEqual(['report', 'reportTo']);
  });

  it('says with its statistics whether there was an alert', async () => {
    const id = await addMailing(api.database.dataSource);
    const path = `/mailings/${id}/statistics`;
    expect((await api.call('GET', path)).body).toMatchObject({ alertSent: false });
    await query(
      `INSERT INTO reports (kind, key, transport, message_id, not_before, give_up_at)
       VALUES ('error_rate', $1, 'email', gen_random_uuid(), now(), now())`,
      String(id),
    );
    expect((await api.call('GET', path)).body).toMatchObject({ alertSent: true });
  });
});
