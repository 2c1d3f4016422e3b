import { poolOf } from '@app/database';
import { addClients, createTestDatabase, type TestDatabase } from '@app/testkit';
import { type PreviewRequest, PreviewService } from './preview.service.js';

let database: TestDatabase;
let previews: PreviewService;

beforeAll(async () => {
  database = await createTestDatabase();
  previews = new PreviewService(database);
  await addClients(database.dataSource, [
    { phone: '79120000001', operatorCode: '912', timezone: 'Europe/Moscow', tags: ['vip', 'old'] },
    { phone: '79120000002', operatorCode: '912', timezone: 'Europe/Moscow', tags: ['vip'] },
    { phone: '79160000003', operatorCode: '916', timezone: 'Asia/Vladivostok', tags: ['vip'] },
    { phone: '79160000004', operatorCode: '916', timezone: 'Asia/Vladivostok' },
  ]);
});
afterAll(() => database.drop());

const HOUR = 3_600_000;
const tomorrow = new Date(Math.ceil(Date.now() / (24 * HOUR)) * 24 * HOUR); // 00:00 UTC, 03:00 Moscow

const request = (fields: Partial<PreviewRequest> = {}): PreviewRequest => ({
  text: 'Привет 👋',
  filter: { operatorCodes: [], tags: [], phones: [] },
  startAt: tomorrow,
  endAt: new Date(tomorrow.getTime() + 24 * HOUR),
  window: null,
  ...fields,
});

describe('the preview of a mailing', () => {
  it('counts everyone when no list is given, by timezone', async () => {
    const preview = await previews.preview(request());
    expect(preview).toMatchObject({ audience: 4, unreachable: 0 });
    expect(preview.slots.map(({ timezone, clients }) => [timezone, clients])).toEqual([
      ['Asia/Vladivostok', 2],
      ['Europe/Moscow', 2],
    ]);
    expect(preview.sample?.text).toBe('Привет 👋');
  });

  it.each([
    [{ operatorCodes: ['912', '999'] }, 2],
    [{ tags: ['vip'] }, 3],
    [{ tags: ['old', 'vip'] }, 3],
    [{ operatorCodes: ['916'], tags: ['vip'] }, 1],
    [{ phones: ['79120000001', '79160000003'], operatorCodes: ['912'] }, 1],
    [{ tags: ['nobody has this'] }, 0],
  ])('takes OR inside a list and AND between lists: %j', async (lists, audience) => {
    const filter = { ...request().filter, ...lists };
    const preview = await previews.preview(request({ filter }));
    expect(preview.audience).toBe(audience);
    expect(preview.sample === null).toBe(audience === 0);
  });

  it('counts the clients that cannot be reached before the end', async () => {
    // 09:00 to 10:00 by the client's clock is 06:00 UTC in Moscow and 23:00 UTC in Vladivostok.
    const preview = await previews.preview(
      request({
        endAt: new Date(tomorrow.getTime() + 12 * HOUR),
        window: { from: '09:00', to: '10:00', timezone: 'client' },
      }),
    );
    expect(preview).toMatchObject({ audience: 4, unreachable: 2 });
    expect(preview.slots).toEqual([
      { timezone: 'Asia/Vladivostok', clients: 2, slot: null },
      {
        timezone: 'Europe/Moscow',
        clients: 2,
        slot: {
          opensAt: new Date(tomorrow.getTime() + 6 * HOUR),
          closesAt: new Date(tomorrow.getTime() + 7 * HOUR),
        },
      },
    ]);
  });

  it('refuses times that make no sense', async () => {
    const past = request({ startAt: null, endAt: new Date(Date.now() - HOUR) });
    await expect(previews.preview(past)).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ path: 'endAt' }],
    });
    const backwards = request({ endAt: new Date(tomorrow.getTime() - 1) });
    await expect(previews.preview(backwards)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('gives up counting after its time, and leaves the session as it was', async () => {
    const impatient = new PreviewService(database, 50);
    const pool = poolOf(database.dataSource);
    const before = await pool.query('SHOW statement_timeout');
    const session = await pool.connect();
    await session.query('BEGIN; LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');
    await expect(impatient.preview(request())).rejects.toMatchObject({ code: 'unavailable' });
    await session.query('ROLLBACK');
    session.release();
    expect((await impatient.preview(request())).audience).toBe(4);
    expect((await pool.query('SHOW statement_timeout')).rows).toEqual(before.rows);
  });
});
