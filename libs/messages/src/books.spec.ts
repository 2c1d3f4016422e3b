import { NOTIFICATION_API_POLICY } from '@app/channels';
import { poolOf, type Queryable } from '@app/database';
import { createLogger } from '@app/platform';
import {
  addClients,
  addMailing,
  addMessages,
  createTestDatabase,
  disagreements,
  openSlots,
  type MailingSeed,
  type MessageSeed,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import { MailingControlService, MailingService } from '@app/mailings';
import { claimDuePending } from './claim/claim.queries.js';
import { recordOutcomesIfStillSending } from './record/record.queries.js';
import { ClientsService } from '@app/directory';
import { FinishService, PlanService, SlotsService } from '@app/engine';

const logger = createLogger('test', 'silent');

/**
 * Counters, activity and totals are one book: whatever changes the messages of a mailing, they say
 * the same afterwards.
 */
describe('counters, activity and totals agree', () => {
  let database: TestDatabase;
  let db: Queryable;
  let control: MailingControlService;
  let finish: FinishService;

  beforeEach(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
    control = new MailingControlService(database, unheard);
    finish = new FinishService(db, logger);
  });
  afterEach(async () => {
    // Whatever a test did, this holds after it.
    expect(await disagreements(database.dataSource)).toEqual([]);
    await database.drop();
  });

  async function mailing(seeds: MessageSeed[], attributes: MailingSeed = {}) {
    const id = await addMailing(database.dataSource, attributes);
    const messages = await addMessages(database.dataSource, id, seeds);
    await openSlots(database.dataSource, id);
    return { id, messages };
  }
  /** What all minutes of a mailing add up to, without zeros. */
  async function activity(id: number): Promise<Record<string, number>> {
    const [sums = {}] = await database.sql<Record<string, number>>(
      `SELECT sum(pending)::int AS pending, sum(sending)::int AS sending, sum(sent)::int AS sent,
         sum(failed)::int AS failed, sum(expired)::int AS expired, sum(cancelled)::int AS cancelled,
         sum(unknown)::int AS unknown
       FROM mailing_activity WHERE mailing_id = $1`,
      [id],
    );
    return Object.fromEntries(Object.entries(sums).filter(([, n]) => n !== 0));
  }
  async function totals(): Promise<Record<string, number>> {
    const [row = {}] = await database.sql<Record<string, number>>(
      'SELECT mailings, total, sent, failed, unknown FROM mailing_totals',
    );
    return row;
  }
  const outcome = (id: number, attempt: number, is: 'delivered' | 'unknown' | 'rejected') => ({
    ...{ id, attempt, outcome: is, countsAsTry: true, delayMs: 0, durationMs: 1, httpStatus: 200 },
    ...(is === 'delivered' ? { code: null, detail: null } : { code: 'x', detail: 'x' }),
    excerpt: null,
  });

  it('after planning, with some who cannot be reached before the end', async () => {
    await addClients(database.dataSource, [{}, {}, { timezone: 'Asia/Omsk' }]);
    const id = await addMailing(database.dataSource, { status: 'scheduled' });
    const slots = new SlotsService(db, logger);
    const plan = new PlanService(db, db, slots, logger);
    await plan.start();
    await slots.run();
    await plan.run();
    await plan.run();
    expect(await activity(id)).toEqual({ pending: 3 });
  });

  it('after a claim, which ends the messages of deleted clients', async () => {
    const [clientId = 0] = await addClients(database.dataSource, [{}]);
    const { id, messages } = await mailing([
      { status: 'pending', clientId },
      { status: 'pending' },
      { status: 'pending', attempts: 1, unconfirmed: true },
    ]);
    await claimDuePending(db, {
      policy: NOTIFICATION_API_POLICY,
      laneId: 1,
      claimId: 1,
      ids: messages,
    });
    expect(await activity(id)).toEqual({ sending: 1, cancelled: 1, unknown: 1 });
  });

  it('after retry-failed: what failed and was sent later counts once', async () => {
    const { id, messages } = await mailing([{ status: 'sent' }, { status: 'failed' }], {
      status: 'completed',
    });
    expect(await control.retryFailed(someActor, id)).toBe(1);
    expect(await activity(id)).toEqual({ sent: 1, pending: 1 });
    const clients = await addClients(database.dataSource, [{}]);
    const again = messages[1] ?? 0;
    await database.sql('UPDATE messages SET client_id = $2 WHERE id = $1', [again, clients[0]]);
    await claimDuePending(db, {
      policy: NOTIFICATION_API_POLICY,
      laneId: 1,
      claimId: 1,
      ids: [again],
    });
    await recordOutcomesIfStillSending(
      db,
      [outcome(again, 2, 'delivered')],
      NOTIFICATION_API_POLICY,
    );
    expect(await activity(id)).toEqual({ sent: 2 });
  });

  it('after resend-unknown, and after the confirmation that comes at last', async () => {
    const { id, messages } = await mailing(
      [
        { status: 'unknown', unconfirmed: true },
        { status: 'unknown', unconfirmed: true },
      ],
      { status: 'completed' },
    );
    await recordOutcomesIfStillSending(
      db,
      [outcome(messages[0] ?? 0, 1, 'delivered')],
      NOTIFICATION_API_POLICY,
    );
    expect(await activity(id)).toEqual({ sent: 1, unknown: 1 });
    expect(await control.resendUnknown(someActor, id)).toBe(1);
    expect(await activity(id)).toEqual({ sent: 1, pending: 1 });
  });

  it('after the end, after a cancellation, and after the deletion of a client', async () => {
    const ended = await mailing([{ status: 'pending' }, { status: 'sent' }], { endsIn: -1 });
    const cancelled = await mailing([{ status: 'pending' }]);
    const [clientId = 0] = await addClients(database.dataSource, [{}]);
    const other = await mailing([{ status: 'pending', clientId }, { status: 'sending' }]);
    await control.cancel(someActor, cancelled.id);
    await finish.end();
    await new ClientsService(database, unheard, 'Europe/Moscow').delete(someActor, clientId);
    expect(await activity(ended.id)).toEqual({ expired: 1, sent: 1 });
    expect(await activity(cancelled.id)).toEqual({ cancelled: 1 });
    expect(await activity(other.id)).toEqual({ cancelled: 1, sending: 1 });
  });

  describe('and the totals of finished mailings', () => {
    const nothing = { mailings: 0, total: 0, sent: 0, failed: 0, unknown: 0 };

    it('take in a mailing when it finishes', async () => {
      await mailing([{ status: 'sent' }, { status: 'sending' }]);
      const done = await mailing([{ status: 'sent' }, { status: 'failed' }]);
      await finish.end();
      await finish.end(); // once
      expect(await totals()).toEqual({ ...nothing, mailings: 1, total: 2, sent: 1, failed: 1 });
      expect(await database.sql('SELECT id FROM mailings WHERE finished_at IS NOT NULL')).toEqual([
        { id: done.id },
      ]);
    });

    it('follow a confirmation that comes after the end', async () => {
      const { messages } = await mailing([{ status: 'unknown', unconfirmed: true }], {
        status: 'completed',
      });
      expect(await totals()).toEqual({ ...nothing, mailings: 1, total: 1, unknown: 1 });
      await recordOutcomesIfStillSending(
        db,
        [outcome(messages[0] ?? 0, 1, 'delivered')],
        NOTIFICATION_API_POLICY,
      );
      expect(await totals()).toEqual({ ...nothing, mailings: 1, total: 1, sent: 1 });
    });

    it('give back a mailing that runs again, and take it in again', async () => {
      const { id } = await mailing([{ status: 'failed' }, { status: 'sent' }], {
        status: 'completed',
      });
      await control.retryFailed(someActor, id);
      expect(await totals()).toEqual(nothing);
      await control.cancel(someActor, id);
      await finish.end();
      expect(await totals()).toEqual({ ...nothing, mailings: 1, total: 2, sent: 1 });
    });

    it('forget a mailing that is deleted', async () => {
      const { id } = await mailing([{ status: 'sent' }], { status: 'completed' });
      await new MailingService(database, unheard).delete(someActor, id);
      expect(await totals()).toEqual(nothing);
    });
  });

  it('is something that can be seen to fail', async () => {
    const { id } = await mailing([{ status: 'sent' }], { status: 'completed' });
    await database.sql('UPDATE mailing_activity SET sent = 2 WHERE mailing_id = $1', [id]);
    await database.sql('UPDATE mailing_totals SET total = 7');
    const found = await disagreements(database.dataSource);
    expect(found.map(({ against }) => against)).toEqual(['activity', 'totals']);
    await database.sql('UPDATE mailing_activity SET sent = 1 WHERE mailing_id = $1', [id]);
    await database.sql('UPDATE mailing_totals SET total = 1');
  });
});
