import { GATE, poolOf } from '@app/database';
import {
  addClients,
  addMailing,
  addMessages,
  countersAndRows,
  createTestDatabase,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import { MailingControlService } from './mailing-control.service.js';
import { readMailing } from '../mailing/mailing.queries.js';
import { MailingService } from '../mailing/mailing.service.js';

let database: TestDatabase;
let control: MailingControlService;

beforeAll(async () => {
  database = await createTestDatabase();
  control = new MailingControlService(database, unheard, {
    first: 3,
    least: 3,
    most: 3,
    aimMs: 100,
    limitMs: 1_000,
  });
});
afterAll(() => database.drop());

const mailingWith = (seed: Parameters<typeof addMailing>[1]) =>
  addMailing(database.dataSource, seed);

const rowsOf = async (text: string, ...values: unknown[]) =>
  (await poolOf(database.dataSource).query<Record<string, unknown>>(text, values)).rows;

describe('pause, resume and cancel', () => {
  it('go the allowed ways', async () => {
    const id = await mailingWith({ status: 'running' });
    expect(await control.pause(someActor, id)).toMatchObject({ status: 'paused', endedAt: null });
    expect(await control.pause(someActor, id)).toMatchObject({ status: 'paused' });
    expect(await control.resume(someActor, id)).toMatchObject({ status: 'running' });
    expect(await control.resume(someActor, id)).toMatchObject({ status: 'running' });
    const cancelled = await control.cancel(someActor, id);
    expect(cancelled.status).toBe('cancelled');
    expect(cancelled.endedAt).not.toBeNull();
    expect(await control.cancel(someActor, id)).toEqual(cancelled);
  });

  it.each([
    ['pause', 'scheduled'],
    ['pause', 'completed'],
    ['pause', 'cancelled'],
    ['resume', 'scheduled'],
    ['resume', 'completed'],
    ['resume', 'cancelled'],
    ['cancel', 'completed'],
  ] as const)('refuse to %s what is %s, and say what it is', async (action, status) => {
    const id = await mailingWith({ status });
    const error: unknown = await control[action](someActor, id).catch(
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ code: 'conflict' });
    expect((error as Error).message).toContain(status);
    expect((await readMailing(poolOf(database.dataSource), id))?.status).toBe(status);
  });

  it('know nothing of a mailing that is not there', async () => {
    for (const action of ['pause', 'resume', 'cancel', 'retryFailed', 'resendUnknown'] as const) {
      await expect(control[action](someActor, 999_999)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });

  it('cancel what has not begun', async () => {
    const id = await mailingWith({ status: 'scheduled', startsIn: 10 });
    expect(await control.cancel(someActor, id)).toMatchObject({ status: 'cancelled' });
  });
});

describe('the gate', () => {
  /** A claim as the workers make it, held open until `release`. */
  async function startClaim() {
    const session = await poolOf(database.dataSource).connect();
    await session.query('BEGIN');
    await session.query(`SELECT pg_advisory_xact_lock_shared(${GATE})`);
    return {
      release: async () => {
        await session.query('COMMIT');
        session.release();
      },
    };
  }
  const waiting = async () =>
    (await rowsOf(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).length;

  it.each([
    ['pause', (id: number) => control.pause(someActor, id)],
    ['cancel', (id: number) => control.cancel(someActor, id)],
    [
      'edit',
      (id: number) => new MailingService(database, unheard).edit(someActor, id, { text: 'new' }),
    ],
    ['delete', (id: number) => new MailingService(database, unheard).delete(someActor, id)],
  ])('%s answers only when the claims that began before have ended', async (_, act) => {
    const id = await mailingWith({ status: 'running' });
    const before = await readMailing(poolOf(database.dataSource), id);
    const claim = await startClaim();
    let answered = false;
    const answer = act(id).then(() => {
      answered = true;
    });
    while ((await waiting()) === 0) await new Promise(setImmediate);
    expect(answered).toBe(false);
    // It is committed all the same: every later claim sees it.
    expect(await readMailing(poolOf(database.dataSource), id)).not.toEqual(before);
    await claim.release();
    await answer;
  });
});

describe('retrying failed messages', () => {
  it('gives them new tries, keeps the fence, and lets a completed mailing run again', async () => {
    const id = await mailingWith({ status: 'completed' });
    const failed = Array.from({ length: 7 }, (_, n) => ({
      status: 'failed' as const,
      attempts: 4,
      tries: 3,
      notBeforeIn: n % 2 === 0 ? -5 : -n,
      timezone: n < 4 ? 'Europe/Moscow' : 'Asia/Omsk',
    }));
    const ids = await addMessages(database.dataSource, id, [
      ...failed,
      { status: 'sent' },
      { status: 'unknown', unconfirmed: true },
    ]);
    await rowsOf(`UPDATE messages SET last_error = 'no' WHERE id = $1`, ids[0]);

    expect(await control.retryFailed(someActor, id)).toBe(7);
    const { counters, rows } = await countersAndRows(database.dataSource, id);
    expect(counters).toEqual({ pending: 7, sent: 1, unknown: 1 });
    expect(rows).toEqual(counters);
    expect(
      await rowsOf(
        `SELECT DISTINCT attempts, tries, not_before::text FROM messages
         WHERE mailing_id = $1 AND status = 'pending'`,
        id,
      ),
    ).toEqual([{ attempts: 4, tries: 0, not_before: '-infinity' }]);
    expect(await rowsOf('SELECT last_error FROM messages WHERE id = $1', ids[0])).toEqual([
      { last_error: 'no' },
    ]);
    expect(await readMailing(poolOf(database.dataSource), id)).toMatchObject({
      status: 'running',
      endedAt: null,
      finishedAt: null,
    });
    expect(await control.retryFailed(someActor, id)).toBe(0);
  });

  it('leaves a paused mailing paused, and a completed one without failures completed', async () => {
    const paused = await mailingWith({ status: 'paused' });
    await addMessages(database.dataSource, paused, [{ status: 'failed' }]);
    expect(await control.retryFailed(someActor, paused)).toBe(1);
    expect((await readMailing(poolOf(database.dataSource), paused))?.status).toBe('paused');

    const clean = await mailingWith({ status: 'completed' });
    await addMessages(database.dataSource, clean, [{ status: 'sent' }]);
    expect(await control.retryFailed(someActor, clean)).toBe(0);
    expect((await readMailing(poolOf(database.dataSource), clean))?.status).toBe('completed');
  });

  it('comes to its end in smaller pieces on a slow database', async () => {
    const id = await mailingWith({ status: 'running' });
    await rowsOf(
      `INSERT INTO messages (mailing_id, client_id, zone_id, status, attempts)
       SELECT $1, i, 1, 'failed', 1 FROM generate_series(1, 300) i`,
      id,
    );
    await rowsOf('UPDATE mailing_counters SET total = 300, failed = 300 WHERE mailing_id = $1', id);
    await rowsOf(`
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(0.004); RETURN NEW; END $$`);
    await rowsOf(
      'CREATE TRIGGER slow BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION slow()',
    );
    const pieces = { first: 300, least: 5, most: 300, aimMs: 100, limitMs: 500 };
    const longLimit = new MailingControlService(database, unheard, pieces);
    expect(await longLimit.retryFailed(someActor, id)).toBe(300);
    await rowsOf('DROP FUNCTION slow CASCADE');
    expect((await countersAndRows(database.dataSource, id)).rows).toEqual({ pending: 300 });
  });

  it.each([
    ['the end has passed', { status: 'completed', startsIn: -60, endsIn: -1 }],
    ['it was cancelled', { status: 'cancelled' }],
    ['it has not begun', { status: 'scheduled' }],
  ] as const)('is refused when %s', async (_, seed) => {
    const id = await mailingWith(seed);
    await addMessages(database.dataSource, id, [{ status: 'failed' }]);
    await expect(control.retryFailed(someActor, id)).rejects.toMatchObject({ code: 'conflict' });
    expect((await countersAndRows(database.dataSource, id)).rows).toEqual({ failed: 1 });
  });

  it('changes nothing when the mailing is cancelled while the messages are being locked', async () => {
    const id = await mailingWith({ status: 'running' });
    await addMessages(database.dataSource, id, [{ status: 'failed' }]);
    let reopening: Promise<unknown> = Promise.resolve();
    await database.transaction(async (session) => {
      await session.query('SELECT 1 FROM messages WHERE mailing_id = $1 FOR UPDATE', [id]);
      reopening = control.retryFailed(someActor, id).catch((error: unknown) => error);
      const blocked = async () =>
        (
          await rowsOf(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
          AND wait_event_type = 'Lock' AND query LIKE '%chunk AS MATERIALIZED%'`)
        ).length;
      while ((await blocked()) === 0) await new Promise(setImmediate);
      await control.cancel(someActor, id);
    });
    expect(await reopening).toMatchObject({ code: 'conflict' });
    const { counters, rows } = await countersAndRows(database.dataSource, id);
    expect(rows).toEqual({ failed: 1 });
    expect(counters).toEqual(rows);
  });
});

describe('resending unknown messages', () => {
  it('keeps their text version and phone pinned, and says that they are unconfirmed', async () => {
    const id = await mailingWith({ status: 'completed' });
    const [clientId] = await addClients(database.dataSource, [{}]);
    const [message] = await addMessages(database.dataSource, id, [
      { status: 'unknown', unconfirmed: true, address: '79990000001', clientId: clientId ?? 0 },
      { status: 'failed' },
    ]);
    expect(await control.resendUnknown(someActor, id)).toBe(1);
    expect(
      await rowsOf(
        `SELECT status, unconfirmed, address, content_version, tries FROM messages WHERE id = $1`,
        message,
      ),
    ).toEqual([
      {
        status: 'pending',
        unconfirmed: true,
        address: '79990000001',
        content_version: 1,
        tries: 0,
      },
    ]);
    const { counters, rows } = await countersAndRows(database.dataSource, id);
    expect(counters).toEqual({ pending: 1, failed: 1 });
    expect(rows).toEqual(counters);
  });
});
