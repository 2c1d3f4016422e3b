import { poolOf, type Queryable } from '@app/database';
import { createLogger } from '@app/platform';
import {
  addClients,
  addMailing,
  createTestDatabase,
  type MailingSeed,
  openSlots,
  type TestDatabase,
  waitFor,
  someActor,
  unheard,
} from '@app/testkit';
import { insertMailingIfNotEnded, MailingService } from '@app/mailings';
import { planChunk } from '@app/messages';
import { findUnplannedMailings, PlanService, SlotsService } from '@app/engine';
import { holdTagNames } from './tags.queries.js';
import { TagsService } from './tags.service.js';

const logger = createLogger('test', 'silent');

describe('a tag that mailings are for', () => {
  let database: TestDatabase;
  let db: Queryable;
  let tags: TagsService;
  let mailings: MailingService;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = poolOf(database.dataSource);
    tags = new TagsService(database, unheard);
    mailings = new MailingService(database, unheard);
  });
  beforeEach(() =>
    database.sql(
      'TRUNCATE messages, mailings, mailing_counters, mailing_slots, clients, tags CASCADE',
    ),
  );
  afterAll(() => database.drop());

  const mailingFor = (names: string[], seed: MailingSeed = {}) =>
    addMailing(database.dataSource, { status: 'scheduled', filter: { tags: names }, ...seed });
  const filterOf = async (id: number) => (await mailings.get(id)).filter.tags;
  const refusalOf = (id: number) =>
    tags.delete(someActor, id).then(
      () => null,
      (error: unknown) => error,
    );
  const newMailing = (names: string[]) => ({
    name: 'sale',
    channel: 'notification' as const,
    text: 'hello',
    filter: { operatorCodes: [], tags: names, phones: [] },
    startAt: null,
    endAt: new Date(Date.now() + 3_600_000),
    window: null,
    ratePerSecond: null,
    maxTries: null,
    reportTo: [],
    report: true,
  });

  it('is renamed in the filters of those whose audience is not found yet, and in no other', async () => {
    const { resource: tag } = await tags.create(someActor, 'vip');
    const scheduled = await mailingFor(['a', 'vip', 'gold', 'vip']);
    const planning = await mailingFor(['vip'], { status: 'running' });
    await database.sql('UPDATE mailings SET plan_max_client_id = 9 WHERE id = $1', [planning]);
    await database.sql('UPDATE mailing_counters SET planned = false WHERE mailing_id = $1', [
      planning,
    ]);
    const planned = await mailingFor(['vip'], { status: 'running' });
    await database.sql('UPDATE mailing_counters SET planned = true WHERE mailing_id = $1', [
      planned,
    ]);
    const over = await mailingFor(['vip'], { status: 'completed' });
    const other = await mailingFor(['vi', 'vipp']);

    expect(await tags.rename(someActor, tag.id, 'gold')).toEqual({ id: tag.id, name: 'gold' });

    expect(await filterOf(scheduled)).toEqual(['a', 'gold']);
    expect(await filterOf(planning)).toEqual(['gold']);
    expect(await filterOf(planned)).toEqual(['vip']);
    expect(await filterOf(over)).toEqual(['vip']);
    expect(await filterOf(other)).toEqual(['vi', 'vipp']);
  });

  it('reaches its clients though it is renamed between the start and the planning', async () => {
    const { resource: tag } = await tags.create(someActor, 'vip');
    await addClients(database.dataSource, [{ tags: ['vip'] }, {}, { tags: ['vip'] }]);
    const mailing = await mailingFor(['vip'], { startsIn: -1 });
    const slots = new SlotsService(db, logger);
    await new PlanService(db, db, slots, logger).start();
    await openSlots(database.dataSource, mailing);
    const [unplanned] = await findUnplannedMailings(db);
    if (!unplanned) throw new Error('The mailing has not started');
    await tags.rename(someActor, tag.id, 'gold');
    expect(await planChunk(db, unplanned, { limit: 100 })).toMatchObject({ inserted: 2 });
  });

  it('is not deleted while an audience is looked for by it', async () => {
    const { resource: tag } = await tags.create(someActor, 'vip');
    const scheduled = await mailingFor(['vip'], { name: 'Spring' });
    const running = await mailingFor(['vip'], { status: 'running' });
    await database.sql('UPDATE mailing_counters SET planned = true WHERE mailing_id = $1', [
      running,
    ]);
    expect(await refusalOf(tag.id)).toMatchObject({
      code: 'conflict',
      errors: [{ path: 'id', message: `is used by mailing ${scheduled}, "Spring"` }],
    });
    expect(await tags.get(tag.id)).toEqual(tag);
    await mailings.delete(someActor, scheduled);
    expect(await refusalOf(tag.id)).toBeNull();
  });

  it('is renamed in a filter that is being stored at the same moment', async () => {
    const { resource: tag } = await tags.create(someActor, 'vip');
    let rename: Promise<unknown> = Promise.resolve();
    const made = await database.transaction(async (session) => {
      const mailing = await insertMailingIfNotEnded(session, newMailing(['vip']));
      rename = tags.rename(someActor, tag.id, 'gold');
      await untilWaiting(1);
      return mailing;
    });
    await rename;
    expect(await filterOf(made?.id ?? 0)).toEqual(['gold']);
  });

  it('lets no filter be stored while it is renamed', async () => {
    let stored: Promise<unknown>[] = [];
    const { resource: mailing } = await mailings.create(someActor, newMailing(['a']));
    await database.transaction(async (session) => {
      await holdTagNames(session);
      const filter = newMailing(['b']).filter;
      stored = [
        mailings.create(someActor, newMailing(['vip'])),
        mailings.edit(someActor, mailing.id, { filter }),
      ];
      await untilWaiting(2);
    });
    await expect(Promise.all(stored)).resolves.toHaveLength(2);
  });

  it('has one name however it is written, by SQL too', async () => {
    const composed = '\u0439\u043e\u0434';
    await database.sql('INSERT INTO tags (name) VALUES ($1)', ['\u00a0\u0438\u0306\u043e\u0434 ']);
    expect(await database.sql('SELECT name FROM tags')).toEqual([{ name: composed }]);
    await expect(tags.create(someActor, composed)).rejects.toMatchObject({ code: 'conflict' });
  });

  function untilWaiting(sessions: number): Promise<unknown> {
    const look = async () => {
      const [row] = await database.sql<{ count: number }>(
        `SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return row?.count === sessions;
    };
    return waitFor(look, { timeoutMs: 5_000, what: 'the others wait for the names of tags' });
  }
});
