import { poolOf } from '@app/database';
import { addClients, addMailing, addMessages } from '@app/testkit';
import {
  type ApiUnderTest,
  inMinutes,
  newMailing,
  startApi,
  wrongFields,
} from './mailings-fixture.js';

let api: ApiUnderTest;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const post = (body: unknown) => api.call('POST', '/mailings', body);
const countMailings = async () =>
  (await poolOf(api.database.dataSource).query<{ n: number }>('SELECT count(*) AS n FROM mailings'))
    .rows[0]?.n;

describe('PUT and PATCH /mailings/{id}', () => {
  const scheduled = async () =>
    (await post(newMailing({ startAt: inMinutes(30), window: { from: '09:00', to: '21:00' } })))
      .body as { id: number; startAt: string };

  it('PATCH changes only what it names, and null takes away', async () => {
    const before = await scheduled();
    const { status, body } = await api.call('PATCH', `/mailings/${before.id}`, {
      text: 'changed',
      window: null,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...before,
      text: 'changed',
      textVersion: 2,
      window: null,
      updatedAt: expect.any(String) as string,
    });
  });

  it('a change of the text makes a new version, and each version can be read', async () => {
    const { id } = await scheduled();
    await api.call('PATCH', `/mailings/${id}`, { text: 'changed' });
    const read = (version: number | string) =>
      api.call('GET', `/mailings/${id}/contents/${version}`);
    expect(await read(1)).toMatchObject({
      status: 200,
      body: {
        version: 1,
        createdAt: expect.stringMatching(/^20.+Z$/) as string,
        content: { text: newMailing().text },
      },
    });
    expect((await read(2)).body).toMatchObject({ version: 2, content: { text: 'changed' } });
    expect((await read(3)).status).toBe(404);
    expect((await api.call('GET', '/mailings/999999/contents/1')).status).toBe(404);
    const wrong = await read('first');
    expect(wrong.status).toBe(400);
    expect(wrongFields(wrong)).toEqual(['version']);
  });

  it('PUT puts the defaults where nothing is said, but leaves the start', async () => {
    const before = await scheduled();
    const { status, body } = await api.call(
      'PUT',
      `/mailings/${before.id}`,
      newMailing({ filter: {} }),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ window: null, startAt: before.startAt, textVersion: 1 });
  });

  it('name what is wrong, and change nothing', async () => {
    const before = await scheduled();
    const patch = await api.call('PATCH', `/mailings/${before.id}`, { name: null, text: '', x: 1 });
    expect(patch.status).toBe(400);
    expect(wrongFields(patch)).toEqual(['name', 'text', 'x']);
    const put = await api.call('PUT', `/mailings/${before.id}`, {});
    expect(put.status).toBe(400);
    expect(wrongFields(put)).toEqual(['endAt', 'filter', 'text']);
    expect((await api.call('GET', `/mailings/${before.id}`)).body).toEqual(before);
  });

  it('answer 409 for what a running mailing can not change, and 400 for an end in the past', async () => {
    const id = await addMailing(api.database.dataSource, { status: 'running' });
    for (const [fields, status, paths] of [
      [{ filter: { tags: ['x'] } }, 409, ['filter']],
      [{ startAt: inMinutes(5), maxTries: 4 }, 409, ['maxTries', 'startAt']],
      [{ channel: 'telegram' }, 409, ['channel']],
      [{ endAt: inMinutes(-5) }, 400, ['endAt']],
    ] as const) {
      const answer = await api.call('PATCH', `/mailings/${id}`, fields);
      expect(answer.status).toBe(status);
      expect(wrongFields(answer)).toEqual(paths);
    }
    const allowed = { name: 'n', text: 't', endAt: inMinutes(90), ratePerSecond: 5, window: null };
    expect((await api.call('PATCH', `/mailings/${id}`, allowed)).status).toBe(200);
  });
});

describe('the control routes', () => {
  it('pause, resume and cancel, and say so', async () => {
    const id = await addMailing(api.database.dataSource, { status: 'running' });
    for (const [action, status] of [
      ['pause', 'paused'],
      ['resume', 'running'],
      ['cancel', 'cancelled'],
    ] as const) {
      const answer = await api.call('POST', `/mailings/${id}/${action}/`);
      expect(answer).toMatchObject({ status: 200, body: { id, status } });
    }
    const late = await api.call('POST', `/mailings/${id}/resume`);
    expect(late.status).toBe(409);
    expect((late.body as { detail: string }).detail).toContain('cancelled');
    expect(late.body).toMatchObject({ code: 'mailing_status', data: { status: 'cancelled' } });
  });

  it('send failed and unknown messages again', async () => {
    const id = await addMailing(api.database.dataSource, { status: 'completed' });
    await addMessages(api.database.dataSource, id, [
      { status: 'failed' },
      { status: 'failed' },
      { status: 'unknown', unconfirmed: true },
    ]);
    expect((await api.call('POST', `/mailings/${id}/retry-failed`)).body).toEqual({ reopened: 2 });
    expect((await api.call('POST', `/mailings/${id}/resend-unknown`)).body).toEqual({
      reopened: 1,
    });
    expect((await api.call('GET', `/mailings/${id}`)).body).toMatchObject({ status: 'running' });
  });

  it('DELETE hides a mailing everywhere at once', async () => {
    const id = await addMailing(api.database.dataSource);
    const [message] = await addMessages(api.database.dataSource, id, [{ status: 'pending' }]);
    expect(await api.call('DELETE', `/mailings/${id}`)).toMatchObject({
      status: 204,
      body: '',
    });
    for (const path of [
      `/mailings/${id}`,
      `/mailings/${id}/statistics`,
      `/mailings/${id}/messages`,
      `/messages/${message ?? 0}`,
    ]) {
      expect((await api.call('GET', path)).status).toBe(404);
    }
    expect((await api.call('DELETE', `/mailings/${id}`)).status).toBe(404);
  });
});

describe('POST /mailings/preview', () => {
  it('says who would get it, when, and what, and stores nothing', async () => {
    await addClients(api.database.dataSource, [
      { phone: '79990000001', operatorCode: '999', tags: ['preview'] },
      { phone: '79990000002', operatorCode: '999', tags: ['preview'], timezone: 'Asia/Omsk' },
    ]);
    const before = await countMailings();
    const answer = await api.call('POST', '/mailings/preview', {
      text: 'hello',
      filter: { tags: ['preview'] },
      startAt: '2030-03-01T00:00:00Z',
      endAt: '2030-03-01T05:00:00Z',
      window: { from: '09:00', to: '10:00' },
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        audience: 2,
        unreachable: 1,
        slots: [
          { timezone: 'Asia/Omsk', clients: 1, opensAt: '2030-03-01T03:00:00.000Z' },
          { timezone: 'Europe/Moscow', clients: 1, opensAt: null, closesAt: null },
        ],
        sample: { text: 'hello' },
      },
    });
    expect(await countMailings()).toBe(before);
    expect(wrongFields(await api.call('POST', '/mailings/preview', {}))).toEqual(['endAt', 'text']);
  });
});

describe('/channels', () => {
  it('are shown to everybody and steered by admins', async () => {
    const { body } = await api.call('GET', '/channels');
    expect(body).toMatchObject({ items: [{ name: 'notification', state: 'closed' }] });
    const put = (what: string, value: unknown) =>
      api.call('PUT', `/channels/notification/${what}`, value);
    expect(await put('breaker', { state: 'open' })).toMatchObject({
      status: 200,
      body: { state: 'open', reason: { code: 'opened_by_hand', words: null } },
    });
    expect(await put('breaker', { state: 'closed' })).toMatchObject({ body: { state: 'closed' } });
    expect(await put('rate', { ratePerSecond: 5 })).toMatchObject({ body: { ratePerSecond: 5 } });
    expect(await put('rate', { ratePerSecond: null })).toMatchObject({
      body: { ratePerSecond: null },
    });
    expect(wrongFields(await put('breaker', { state: 'ajar' }))).toEqual(['state']);
    expect(wrongFields(await put('rate', {}))).toEqual(['ratePerSecond']);
    expect((await api.call('PUT', '/channels/nonsense/rate', { ratePerSecond: 1 })).status).toBe(
      404,
    );
    const token = await put('token', { token: 'abc' });
    expect(token.status).toBe(409);
    expect((token.body as { detail: string }).detail).toContain('ENCRYPTION_KEY');

    const made = await api.call('POST', '/tokens', { name: 'operator', role: 'operator' });
    const operator = { token: (made.body as { token: string }).token };
    const refused = await api.call(
      'PUT',
      '/channels/notification/rate',
      { ratePerSecond: 1 },
      operator,
    );
    expect(refused.status).toBe(403);
    expect((await api.call('GET', '/channels', undefined, operator)).status).toBe(200);
  });
});
