import { poolOf } from '@app/database';
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

describe('POST /mailings', () => {
  it('answers 201 with the whole mailing and where it is', async () => {
    const answer = await post({
      name: 'Весенняя распродажа',
      channel: 'notification',
      text: 'Всё за полцены 🎉',
      filter: { operatorCodes: ['912', '912'], tags: ['vip'], phones: ['79120000001'] },
      startAt: '2030-03-01T09:00:00+03:00',
      endAt: '2030-03-02T21:00:00+03:00',
      window: { from: '22:00', to: '06:00', timezone: 'Asia/Omsk' },
      ratePerSecond: 12.5,
      maxTries: 3,
    });
    const { id } = answer.body as { id: number };
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/mailings/${id}`);
    expect(answer.body).toEqual({
      id: expect.any(Number) as number,
      name: 'Весенняя распродажа',
      channel: 'notification',
      text: 'Всё за полцены 🎉',
      textVersion: 1,
      filter: { operatorCodes: ['912'], tags: ['vip'], phones: ['79120000001'] },
      startAt: '2030-03-01T06:00:00.000Z',
      endAt: '2030-03-02T18:00:00.000Z',
      window: { from: '22:00', to: '06:00', timezone: 'Asia/Omsk' },
      ratePerSecond: 12.5,
      maxTries: 3,
      reportTo: [],
      report: true,
      status: 'scheduled',
      endedAt: null,
      finishedAt: null,
      createdAt: expect.stringMatching(/Z$/) as string,
      updatedAt: expect.stringMatching(/Z$/) as string,
    });
    expect((await api.call('GET', `/mailings/${id}`)).body).toEqual(answer.body);
  });

  it('needs no more than a name, a text and an end', async () => {
    const { status, body } = await post(newMailing());
    expect(status).toBe(201);
    expect(body).toMatchObject({
      channel: 'notification',
      filter: { operatorCodes: [], tags: [], phones: [] },
      window: null,
      ratePerSecond: null,
      maxTries: null,
    });
    const { startAt } = body as { startAt: string };
    expect(Math.abs(Date.parse(startAt) - Date.now())).toBeLessThan(10_000);
  });

  it('takes a text of 4,096 characters of any kind, to the last byte', async () => {
    const text = '👋'.repeat(4_095) + 'ж';
    const { status, body } = await post(newMailing({ text }));
    expect(status).toBe(201);
    expect((body as { text: string }).text).toBe(text);
  });

  it('takes 10,000 phones', async () => {
    const phones = Array.from({ length: 10_000 }, (_, n) => String(79_000_000_000 + n));
    expect((await post(newMailing({ filter: { phones } }))).status).toBe(201);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['an empty text', { text: '' }, ['text']],
    ['a text of white space', { text: ' \n\t ' }, ['text']],
    ['a text of 4,097 characters', { text: 'x'.repeat(4_097) }, ['text']],
    ['a text with a NUL character', { text: 'a\0b' }, ['text']],
    ['a text that is a number', { text: 7 }, ['text']],
    ['no text', { text: undefined }, ['text']],
    ['an empty name', { name: '' }, ['name']],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, ['name']],
    ['an end in the past', { endAt: inMinutes(-1) }, ['endAt']],
    ['an end before the start', { startAt: inMinutes(50), endAt: inMinutes(40) }, ['endAt']],
    ['an end without an offset', { endAt: '2030-01-01T10:00:00' }, ['endAt']],
    ['an end on a day that does not exist', { endAt: '2030-02-30T10:00:00Z' }, ['endAt']],
    ['an end that is a date', { endAt: '2030-01-01' }, ['endAt']],
    ['a start that is no instant', { startAt: 'now' }, ['startAt']],
    ['a start of null', { startAt: null }, ['startAt']],
    ['an unknown channel', { channel: 'pigeon' }, ['channel']],
    ['an unknown field', { colour: 'red' }, ['colour']],
    ['an unknown filter key', { filter: { cities: ['Omsk'] } }, ['filter.cities']],
    ['a filter that is a list', { filter: ['vip'] }, ['filter']],
    ['a filter of null', { filter: null }, ['filter']],
    ['tags that are no list', { filter: { tags: 'vip' } }, ['filter.tags']],
    ['an empty tag', { filter: { tags: ['vip', ''] } }, ['filter.tags[1]']],
    ['a tag that is a number', { filter: { tags: [1] } }, ['filter.tags[0]']],
    ['a NUL character in a tag', { filter: { tags: ['a\0'] } }, ['filter.tags[0]']],
    ['a bad phone', { filter: { phones: ['79120000001', '89120000001'] } }, ['filter.phones[1]']],
    [
      'an operator code of letters',
      { filter: { operatorCodes: ['abc'] } },
      ['filter.operatorCodes[0]'],
    ],
    ['a window without its end', { window: { from: '09:00' } }, ['window.to']],
    ['a window of no length', { window: { from: '09:00', to: '09:00' } }, ['window.to']],
    ['a time of day past midnight', { window: { from: '09:00', to: '24:00' } }, ['window.to']],
    [
      'an unknown timezone',
      { window: { from: '09:00', to: '10:00', timezone: 'Mars/Olympus' } },
      ['window.timezone'],
    ],
    ['a window that is a text', { window: '09:00-21:00' }, ['window']],
    ['a rate of zero', { ratePerSecond: 0 }, ['ratePerSecond']],
    ['a rate that is a text', { ratePerSecond: '5' }, ['ratePerSecond']],
    ['no tries at all', { maxTries: 0 }, ['maxTries']],
    [
      'several things at once',
      {
        name: '',
        text: '',
        endAt: inMinutes(-1),
        filter: { phones: ['1'], x: 1 },
        ratePerSecond: -1,
      },
      ['endAt', 'filter.phones[0]', 'filter.x', 'name', 'ratePerSecond', 'text'],
    ],
  ])('refuses %s, names it, and stores nothing', async (_, fields, paths) => {
    const before = await countMailings();
    const answer = await post(newMailing(fields));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(wrongFields(answer)).toEqual(paths);
    expect(await countMailings()).toBe(before);
  });

  it.each([
    ['null', 400],
    ['[]', 400],
    ['{"name": ', 400],
    ['"text"', 400],
  ])('refuses the body %s', async (body, status) => {
    expect((await post(body)).status).toBe(status);
  });

  it('refuses Telegram with 422 while there is no bot', async () => {
    const answer = await post(newMailing({ channel: 'telegram' }));
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ detail: 'No Telegram bot is registered' });
  });
});

describe('GET /mailings', () => {
  it('pages, filters, and refuses what it does not know', async () => {
    for (const n of [1, 2, 3]) await post(newMailing({ name: `paged ${n}` }));
    const first = await api.call('GET', '/mailings?name=paged&limit=2');
    const { items, nextCursor } = first.body as { items: { name: string }[]; nextCursor: string };
    expect(items.map(({ name }) => name)).toEqual(['paged 3', 'paged 2']);
    const second = await api.call('GET', `/mailings/?name=paged&limit=2&cursor=${nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ name: 'paged 1' }], nextCursor: null });
    expect((await api.call('GET', '/mailings?name=paged&status=running')).body).toEqual({
      items: [],
      nextCursor: null,
    });
    for (const [query, field] of [
      ['cursor=zzz', 'cursor'],
      ['limit=0', 'limit'],
      ['limit=many', 'limit'],
      ['status=done', 'status'],
      ['sort=name', 'sort'],
    ] as const) {
      const answer = await api.call('GET', `/mailings?${query}`);
      expect(answer.status).toBe(400);
      expect(wrongFields(answer)).toEqual([field]);
    }
  });

  it.each([
    ['/mailings/abc', 400],
    ['/mailings/0', 400],
    ['/mailings/999999', 404],
    ['/mailings/99999999999999999999', 404],
    ['/mailings/999999/statistics', 404],
    ['/mailings/999999/messages', 404],
    ['/messages/999999', 404],
  ])('answers %s with %i', async (path, status) => {
    expect(await api.call('GET', path)).toMatchObject({ status, body: { status } });
  });
});
