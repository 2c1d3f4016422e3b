import { NOTIFICATION_API_POLICY } from '@app/channels';
import { poolOf, type Queryable } from '@app/database';
import { createLogger, messageOf } from '@app/platform';
import {
  addMailing,
  addManyClients,
  createTestDatabase,
  disagreements,
  openSlots,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import { MailingControlService, MailingService } from '@app/mailings';
import { claimDuePending } from './claim/claim.queries.js';
import { type AttemptResult, recordOutcomesIfStillSending } from './record/record.queries.js';
import { ClientsService } from '@app/directory';
import { FinishService, PlanService, SlotsService } from '@app/engine';

/** What the database says beyond the message: the row that broke a rule, the statement in a function. */
function detailOf(error: unknown): string {
  const { detail, where, driverError } = error as Record<string, unknown>;
  return JSON.stringify({ detail, where, ...(driverError as object | undefined) });
}

const MAILINGS = 9;
const CLIENTS = 400;
const FOR_MS = 4_000;

/** Everybody follows one lock order, so nobody ever waits in a circle: docs/delivery.md. */
describe('everything that writes messages, side by side', () => {
  let database: TestDatabase;
  let db: Queryable;
  let mailings: number[];
  let errors: string[];
  let until: number;

  beforeEach(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
    await addManyClients(database.dataSource, CLIENTS);
    mailings = [];
    for (let index = 0; index < MAILINGS; index++) {
      const id = await addMailing(database.dataSource);
      mailings.push(id);
      await database.sql(
        `INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, id, zone_id FROM clients`,
        [id],
      );
      await database.sql(
        'UPDATE mailing_counters SET total = $2::int, pending = $2::int WHERE mailing_id = $1',
        [id, CLIENTS],
      );
      await openSlots(database.dataSource, id);
    }
    errors = [];
    until = performance.now() + FOR_MS;
  });
  afterEach(() => database.drop());

  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(Math.random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };

  /** Repeats until the time is up; a refusal of the domain is fine, an error of the database is not. */
  async function repeat(work: () => Promise<unknown>, pauseMs = 0): Promise<number> {
    let rounds = 0;
    while (performance.now() < until) {
      try {
        await work();
        rounds++;
      } catch (error) {
        if (!(error instanceof Error && error.name === 'DomainError'))
          errors.push(`${messageOf(error)} ${detailOf(error)}`);
      }
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return rounds;
  }

  let claims = 0;
  async function claimAndRecord(): Promise<void> {
    const rows = await database.sql<{ id: number }>(
      `SELECT id FROM messages WHERE status = 'pending' ORDER BY random() LIMIT 40`,
    );
    const ids = rows.map((row) => row.id);
    const { claimed } = await claimDuePending(db, {
      policy: NOTIFICATION_API_POLICY,
      laneId: 1,
      claimId: ++claims,
      ids,
    });
    const results = claimed
      .filter(() => Math.random() < 0.9) // the rest is left to the sweep
      .map(({ id, attempt }): AttemptResult => ({
        id,
        attempt,
        outcome: pick(['delivered', 'retry', 'retry', 'unknown', 'rejected']),
        countsAsTry: true,
        delayMs: 1,
        durationMs: 1,
        httpStatus: null,
        code: 'x',
        detail: null,
        excerpt: null,
      }));
    await recordOutcomesIfStillSending(db, results.reverse(), NOTIFICATION_API_POLICY);
  }

  /** With a rate the claim locks the lane, too, and all counters in their order. */
  const setRates = async () => {
    await database.sql('UPDATE lanes SET rate_per_second = $1', [pick([null, 2_000])]);
    await database.sql('UPDATE mailings SET rate_per_second = $2 WHERE id = $1', [
      pick(mailings),
      pick([null, 500]),
    ]);
  };

  const writers = () => {
    const logger = createLogger('test', 'silent');
    const finish = new FinishService(db, logger);
    const slots = new SlotsService(db, logger);
    const plan = new PlanService(db, db, slots, logger);
    const service = new MailingService(database, unheard);
    const control = new MailingControlService(database, unheard);
    const clients = new ClientsService(database, unheard, 'Europe/Moscow');
    const expireLeases = () =>
      database.sql(
        `UPDATE messages SET lease_until = now() - interval '1 s'
         WHERE id IN (SELECT id FROM messages WHERE status = 'sending' ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED)`,
      );
    return [
      ...Array.from({ length: 4 }, () => repeat(claimAndRecord)),
      repeat(async () => {
        await expireLeases();
        await finish.sweep();
      }, 20),
      repeat(() => finish.end(), 5),
      repeat(() => finish.purge(), 30),
      repeat(async () => {
        mailings.unshift(await addMailing(database.dataSource, { status: 'scheduled' }));
        await plan.start();
        await slots.run();
        while ((await plan.run()).more);
      }, 400),
      repeat(setRates, 200),
      repeat(() => slots.run(), 20),
      repeat(() => service.edit(someActor, pick(mailings), { text: `text ${Math.random()}` }), 10),
      repeat(
        () =>
          service.edit(someActor, pick(mailings), {
            endAt: new Date(Date.now() + 3_600_000 + Math.random() * 1e6),
          }),
        20,
      ),
      repeat(() => control.pause(someActor, pick(mailings)), 15),
      repeat(() => control.resume(someActor, pick(mailings)), 5),
      repeat(() => control.retryFailed(someActor, pick(mailings)), 25),
      repeat(() => control.resendUnknown(someActor, pick(mailings)), 40),
      repeat(async () => {
        const [client] = await database.sql<{ id: number }>(
          'SELECT id FROM clients ORDER BY random() LIMIT 1',
        );
        if (client) await clients.delete(someActor, client.id);
      }, 15),
      repeat(async () => {
        await control.cancel(someActor, pick(mailings.slice(0, 2)));
      }, 1_500),
      repeat(async () => {
        const last = mailings.at(-1);
        if (mailings.length > 4 && last !== undefined) {
          mailings = mailings.slice(0, -1);
          await service.delete(someActor, last);
        }
      }, 700),
    ];
  };

  it('neither deadlocks nor miscounts', async () => {
    const rounds = await Promise.all(writers());
    expect(errors).toEqual([]);
    expect(Math.min(...rounds)).toBeGreaterThan(0);
    expect(await disagreements(database.dataSource)).toEqual([]);
  });

  it('would deadlock with one writer that takes the counters in the order it pleases', async () => {
    const disorderly = () =>
      repeat(async () => {
        const session = await poolOf(database.dataSource).connect();
        try {
          await session.query('BEGIN');
          for (const id of [...mailings].sort(() => Math.random() - 0.5)) {
            await session.query('UPDATE mailing_counters SET total = total WHERE mailing_id = $1', [
              id,
            ]);
          }
          await session.query('COMMIT');
        } catch (error) {
          await session.query('ROLLBACK');
          throw error;
        } finally {
          session.release();
        }
      });
    await Promise.all([disorderly(), disorderly(), ...writers().slice(0, 4)]);
    expect(errors.join()).toContain('deadlock detected');
  });
});
