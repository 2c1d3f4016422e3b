import { poolOf, WAKE_CHANNEL } from '@app/database';
import {
  addMailing,
  addMessages,
  createTestDatabase,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import pg from 'pg';
import type { NewMailing } from './mailing.queries.js';
import { MailingService } from './mailing.service.js';

let database: TestDatabase;
let mailings: MailingService;

beforeAll(async () => {
  database = await createTestDatabase();
  mailings = new MailingService(database, unheard);
});
afterAll(() => database.drop());

const rowsOf = async (text: string, ...values: unknown[]) =>
  (await poolOf(database.dataSource).query<Record<string, unknown>>(text, values)).rows;

const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000);

const draft = (fields: Partial<NewMailing> = {}): NewMailing => ({
  name: 'sale',
  channel: 'notification',
  text: 'hello',
  filter: { operatorCodes: [], tags: ['vip'], phones: [] },
  startAt: null,
  endAt: soon(60),
  window: null,
  ratePerSecond: null,
  maxTries: null,
  reportTo: [],
  report: true,
  ...fields,
});

const create = async (fields: Partial<NewMailing> = {}) =>
  (await mailings.create(someActor, draft(fields))).resource;

describe('creating a mailing', () => {
  it('stores it with its first text and a counter of zeros, ready to start now', async () => {
    const mailing = await create({ window: { from: '09:00', to: '21:00', timezone: 'client' } });
    expect(mailing).toMatchObject({
      status: 'scheduled',
      textVersion: 1,
      window: { from: '09:00', to: '21:00', timezone: 'client' },
      filter: { operatorCodes: [], tags: ['vip'], phones: [] },
    });
    expect(Math.abs(mailing.startAt.getTime() - Date.now())).toBeLessThan(5_000);
    expect(await mailings.get(mailing.id)).toEqual(mailing);
    expect(
      await rowsOf(
        `SELECT version, content ->> 'text' AS text FROM mailing_contents WHERE mailing_id = $1`,
        mailing.id,
      ),
    ).toEqual([{ version: 1, text: 'hello' }]);
    expect(
      await rowsOf('SELECT total, planned FROM mailing_counters WHERE mailing_id = $1', mailing.id),
    ).toEqual([{ total: 0, planned: false }]);
  });

  it('wakes beat when it commits', async () => {
    const listener = new pg.Client({ connectionString: database.url });
    await listener.connect();
    await listener.query(`LISTEN ${WAKE_CHANNEL}`);
    const woken = new Promise<string>((resolve) => {
      listener.once('notification', ({ channel }: pg.Notification) => {
        resolve(channel);
      });
    });
    await create();
    expect(await woken).toBe(WAKE_CHANNEL);
    await listener.end();
  });

  it('refuses an end that has passed, an end before the start, and a channel without a lane', async () => {
    const before = await rowsOf('SELECT count(*) FROM mailings');
    const fault = (fields: Partial<NewMailing>) =>
      mailings.create(someActor, draft(fields)).catch((error: unknown) => error);
    expect(await fault({ endAt: soon(-1) })).toMatchObject({
      code: 'invalid',
      errors: [{ path: 'endAt', message: 'must be in the future' }],
    });
    expect(await fault({ startAt: soon(20), endAt: soon(10) })).toMatchObject({
      code: 'invalid',
      errors: [{ path: 'endAt', message: 'must be after startAt' }],
    });
    expect(await fault({ channel: 'telegram' })).toMatchObject({ code: 'unprocessable' });
    expect(await rowsOf('SELECT count(*) FROM mailings')).toEqual(before);
  });
});

describe('an idempotency key', () => {
  const request = (key: string, body = 'body') => ({
    scope: 'test',
    key,
    requestHash: Buffer.from(body),
  });

  it('makes one mailing of fifty that come at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 50 }, () =>
        mailings.create(someActor, draft({ name: 'once' }), request('k1')),
      ),
    );
    expect(new Set(made.map(({ resource }) => resource.id)).size).toBe(1);
    expect(made.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await rowsOf(`SELECT count(*) AS n FROM mailings WHERE name = 'once'`)).toEqual([
      { n: 1 },
    ]);
  });

  it('belongs to one body', async () => {
    await mailings.create(someActor, draft(), request('k2'));
    await expect(mailings.create(someActor, draft(), request('k2', 'other'))).rejects.toMatchObject(
      {
        code: 'unprocessable',
      },
    );
  });

  it('is not used up by a request that failed', async () => {
    await expect(
      mailings.create(someActor, draft({ endAt: soon(-1) }), request('k3')),
    ).rejects.toThrow();
    expect((await mailings.create(someActor, draft(), request('k3'))).replayed).toBe(false);
  });

  it('is free again after 24 hours', async () => {
    const { resource: mailing } = await mailings.create(someActor, draft(), request('k4'));
    await rowsOf(
      `UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'k4'`,
    );
    const again = await mailings.create(someActor, draft(), request('k4', 'other'));
    expect(again.replayed).toBe(false);
    expect(again.resource.id).not.toBe(mailing.id);
    expect(await mailings.findReplay(request('k4', 'other'))).toEqual(again.resource);
  });

  it('does not bring back a mailing that was deleted', async () => {
    const { resource: mailing } = await mailings.create(someActor, draft(), request('k5'));
    await mailings.delete(someActor, mailing.id);
    await expect(mailings.create(someActor, draft(), request('k5'))).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

describe('the list of mailings', () => {
  it('goes from the newest to the oldest in pages, each mailing once', async () => {
    const ids: number[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await create({ name: `Listed ${n}` })).id);
    const first = await mailings.list({ name: 'LISTED', limit: 2 });
    const second = await mailings.list({
      name: 'listed',
      limit: 3,
      cursor: first.nextCursor ?? '',
    });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
  });

  it('filters by status and by a part of the name, in which % is just a character', async () => {
    const running = await addMailing(database.dataSource, {
      name: '100 % real',
      status: 'running',
    });
    await addMailing(database.dataSource, { name: '100 times real', status: 'running' });
    const found = await mailings.list({ status: 'running', name: '0 % r', limit: 10 });
    expect(found.items.map(({ id }) => id)).toEqual([running]);
  });

  it.each([
    'nonsense',
    'WyJhIl0',
    'WyJtYWlsaW5ncyIsMSwyXQ',
    'WyJtYWlsaW5ncyIsbnVsbF0',
    'WyJjbGllbnRzIiwxXQ',
  ])('refuses the cursor %s', async (cursor) => {
    await expect(mailings.list({ limit: 1, cursor })).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ path: 'cursor' }],
    });
  });
});

describe('editing a stored mailing', () => {
  const slot = (mailingId: number) =>
    rowsOf(
      `INSERT INTO mailing_slots (mailing_id, zone_id, opens_at, closes_at)
       VALUES ($1, 1, now(), now() + interval '1 hour')`,
      mailingId,
    );
  const state = async (id: number) =>
    (
      await rowsOf(
        `SELECT g.schedule_version AS schedule, g.content_version AS text,
          (SELECT count(*) FROM mailing_slots WHERE mailing_id = g.id) AS slots,
          (SELECT array_agg(c.content ->> 'text' ORDER BY version) FROM mailing_contents c WHERE mailing_id = g.id) AS texts
         FROM mailings g WHERE id = $1`,
        id,
      )
    )[0];

  it('keeps every text under its version', async () => {
    const id = await addMailing(database.dataSource);
    await slot(id);
    expect(await mailings.edit(someActor, id, { text: 'second' })).toMatchObject({
      textVersion: 2,
    });
    await mailings.edit(someActor, id, { text: 'second', name: 'renamed' });
    expect(await state(id)).toEqual({ schedule: 1, text: 2, slots: 1, texts: ['text', 'second'] });
  });

  it('throws the slots away when a time changes, so that nothing is claimed by the old ones', async () => {
    const id = await addMailing(database.dataSource);
    await slot(id);
    const edited = await mailings.edit(someActor, id, { endAt: soon(120) });
    expect(edited.endAt.getTime()).toBeGreaterThan(Date.now() + 100 * 60_000);
    expect(await state(id)).toMatchObject({ schedule: 2, slots: 0 });
  });

  it('changes nothing at all when one field may not change', async () => {
    const id = await addMailing(database.dataSource);
    const before = await mailings.get(id);
    await expect(
      mailings.edit(someActor, id, { text: 'new', startAt: soon(5) }),
    ).rejects.toMatchObject({
      code: 'conflict',
      errors: [{ path: 'startAt' }],
    });
    expect(await mailings.get(id)).toEqual(before);
  });

  it('does not write when nothing differs', async () => {
    const id = await addMailing(database.dataSource);
    const before = await mailings.get(id);
    expect(await mailings.edit(someActor, id, { name: before.name })).toEqual(before);
  });
});

describe('deleting a mailing', () => {
  it('hides it from every reader at once and keeps its messages for the purge', async () => {
    const id = await addMailing(database.dataSource, { name: 'to be deleted' });
    await addMessages(database.dataSource, id, [{ status: 'pending' }]);
    await mailings.delete(someActor, id);
    const gone = { code: 'not_found' };
    await expect(mailings.get(id)).rejects.toMatchObject(gone);
    await expect(mailings.edit(someActor, id, { name: 'x' })).rejects.toMatchObject(gone);
    await expect(mailings.delete(someActor, id)).rejects.toMatchObject(gone);
    expect((await mailings.list({ name: 'to be deleted', limit: 1 })).items).toEqual([]);
    expect(await rowsOf('SELECT 1 FROM mailing_counters WHERE mailing_id = $1', id)).toEqual([]);
  });
});
