import { poolOf } from '@app/database';
import {
  addMailing,
  addMessages,
  createTestDatabase,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import { MailingService } from '../mailing/mailing.service.js';
import { StatisticsService } from './statistics.service.js';

let database: TestDatabase;
let statistics: StatisticsService;

beforeAll(async () => {
  database = await createTestDatabase();
  statistics = new StatisticsService(database);
});
afterAll(() => database.drop());

const run = (text: string, ...values: unknown[]) => poolOf(database.dataSource).query(text, values);
const NONE = { pending: 0, sending: 0, sent: 0, failed: 0, expired: 0, cancelled: 0, unknown: 0 };

describe('the statistics of one mailing', () => {
  it('count what there is, in every status', async () => {
    const id = await addMailing(database.dataSource, { name: 'counted' });
    await addMessages(database.dataSource, id, [
      { status: 'pending' },
      { status: 'pending' },
      { status: 'sending' },
      { status: 'sent' },
      { status: 'failed' },
      { status: 'expired' },
      { status: 'cancelled' },
      { status: 'unknown' },
    ]);
    expect(await statistics.mailing(id)).toMatchObject({
      id,
      name: 'counted',
      status: 'running',
      total: 8,
      counts: { pending: 2, sending: 1, sent: 1, failed: 1, expired: 1, cancelled: 1, unknown: 1 },
      planned: true,
      progress: 0.625,
      errors: [],
    });
  });

  it('group errors by reason over all days, with the latest words', async () => {
    const id = await addMailing(database.dataSource);
    await run(
      `INSERT INTO mailing_errors (mailing_id, hour, code, attempts, detail, last_at) VALUES
        ($1, '2030-01-01', 'http_503', 5, 'old words', '2030-01-01T10:00Z'),
        ($1, '2030-01-02', 'http_503', 4, 'new words', '2030-01-02T10:00Z'),
        ($1, '2030-01-02', 'timeout', 7, NULL, '2030-01-02T11:00Z')`,
      id,
    );
    expect((await statistics.mailing(id)).errors).toEqual([
      { code: 'http_503', attempts: 9, detail: 'new words', lastAt: new Date('2030-01-02T10:00Z') },
      { code: 'timeout', attempts: 7, detail: null, lastAt: new Date('2030-01-02T11:00Z') },
    ]);
  });

  it('tell the speed from the minute buckets and when the rest will be done', async () => {
    const id = await addMailing(database.dataSource, { endsIn: 600 });
    await addMessages(database.dataSource, id, [{ status: 'pending' }, { status: 'sent' }]);
    await run(
      `INSERT INTO mailing_activity (mailing_id, minute, sent)
       SELECT $1, date_trunc('minute', now()) - n * interval '1 minute', 120 FROM generate_series(0, 5) n`,
      id,
    );
    const { throughput, forecast } = await statistics.mailing(id);
    expect(throughput.lastMinute).toBeGreaterThanOrEqual(120);
    expect(throughput.lastMinute).toBeLessThanOrEqual(240);
    expect(forecast?.getTime()).toBeGreaterThan(Date.now() - 10_000);
    expect(forecast?.getTime()).toBeLessThan(Date.now() + 10_000);
  });

  it('know that a zone which sleeps is not done before it wakes', async () => {
    const id = await addMailing(database.dataSource, { endsIn: 600 });
    await addMessages(database.dataSource, id, [
      { status: 'pending', timezone: 'Asia/Omsk' },
      { status: 'sent', timezone: 'Asia/Tokyo' },
    ]);
    await run(
      `INSERT INTO mailing_slots (mailing_id, zone_id, opens_at, closes_at)
       SELECT $1, id, now() + CASE name WHEN 'Asia/Omsk' THEN interval '1 hour' ELSE interval '5 hours' END,
         now() + interval '6 hours' FROM zones WHERE name IN ('Asia/Omsk', 'Asia/Tokyo')`,
      id,
    );
    await run(
      `INSERT INTO mailing_activity (mailing_id, minute, sent) VALUES ($1, date_trunc('minute', now()), 60)`,
      id,
    );
    const { forecast } = await statistics.mailing(id);
    const hours = ((forecast?.getTime() ?? 0) - Date.now()) / 3_600_000;
    expect(hours).toBeCloseTo(1, 1);
  });

  it('are deleted with the mailing', async () => {
    const id = await addMailing(database.dataSource);
    await new MailingService(database, unheard).delete(someActor, id);
    await expect(statistics.mailing(id)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the general statistics', () => {
  beforeAll(async () => {
    await run('TRUNCATE mailings, mailing_counters, messages, mailing_contents CASCADE');
  });

  it('are all zeros without mailings', async () => {
    expect(await statistics.general({ limit: 5 })).toEqual({
      totals: { mailings: 0, total: 0, repeated: 0, counts: NONE },
      items: [],
      nextCursor: null,
    });
  });

  it('add up over all mailings, also those that are on another page', async () => {
    const ids: number[] = [];
    for (let n = 0; n < 3; n++) {
      const status = n === 0 ? 'completed' : 'running'; // finished ones are in the totals
      const id = await addMailing(database.dataSource, { name: `number ${n}`, status });
      await addMessages(database.dataSource, id, [
        { status: 'sent', repeated: n < 2 },
        { status: 'unknown', unconfirmed: true },
      ]);
      ids.unshift(id);
    }
    const deleted = await addMailing(database.dataSource);
    await addMessages(database.dataSource, deleted, [{ status: 'failed' }]);
    await new MailingService(database, unheard).delete(someActor, deleted);

    const first = await statistics.general({ limit: 2 });
    const second = await statistics.general({ limit: 2, cursor: first.nextCursor ?? '' });
    const totals = { mailings: 3, total: 6, repeated: 2, counts: { ...NONE, sent: 3, unknown: 3 } };
    expect(first.totals).toEqual(totals);
    expect(second).toMatchObject({ totals, nextCursor: null });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(first.items[0]).toEqual({
      id: ids[0],
      name: 'number 2',
      status: 'running',
      startAt: expect.any(Date) as Date,
      endAt: expect.any(Date) as Date,
      total: 2,
      repeated: 0,
      counts: { ...NONE, sent: 1, unknown: 1 },
    });
  });
});
