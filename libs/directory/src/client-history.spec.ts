import { poolOf, type Queryable, type Statement } from '@app/database';
import { createLogger } from '@app/platform';
import {
  addClients,
  addMailing,
  addManyClients,
  addMessages,
  createTestDatabase,
  type TestDatabase,
  someActor,
  unheard,
} from '@app/testkit';
import { listMailings, MailingService, readGeneralStatistics } from '@app/mailings';
import { FinishService } from '@app/engine';
import { lockOpenMessagesOfClient } from '@app/messages';
import { ClientsService } from './clients.service.js';

const MANY = 3_000;

describe('what the mailings did for a client', () => {
  let database: TestDatabase;
  let clients: ClientsService;

  beforeEach(async () => {
    database = await createTestDatabase();
    clients = new ClientsService(database, unheard, 'Europe/Moscow');
  });
  afterEach(() => database.drop());

  const plan = async (condition: string) => {
    const mailing = await addMailing(database.dataSource);
    await database.sql(
      `INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, id, zone_id FROM clients WHERE ${condition}`,
      [mailing],
    );
    return mailing;
  };
  const historyOf = async (client: number, limit = 2) => {
    const mailings: number[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await clients.messages(client, limit, cursor ?? undefined);
      mailings.push(...page.items.map(({ mailingId }) => mailingId));
      cursor = page.nextCursor;
    } while (cursor);
    return mailings;
  };

  it('is found whether it was planned by the thousand or alone, in both or in neither', async () => {
    await addManyClients(database.dataSource, MANY);
    const everyone = await plan('true');
    const few = await plan('id <= 10');
    const odd = await plan('id % 2 = 1');
    const inTwoPieces = await plan('id > 1');
    await database.sql(
      'INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, id, zone_id FROM clients WHERE id = 1',
      [inTwoPieces],
    );
    expect(await historyOf(1)).toEqual([inTwoPieces, odd, few, everyone]);
    expect(await historyOf(2)).toEqual([inTwoPieces, few, everyone]);
    expect(await historyOf(MANY - 1)).toEqual([inTwoPieces, odd, everyone]);
    expect(await historyOf(MANY)).toEqual([inTwoPieces, everyone]);
  });

  it('goes with the mailing, and what was noted about it too', async () => {
    await addManyClients(database.dataSource, MANY);
    const [kept, gone] = [await plan('true'), await plan('true')];
    const small = await plan('id < 5');
    const mailings = new MailingService(database, unheard);
    await mailings.delete(someActor, gone);
    await mailings.delete(someActor, small);
    expect(await historyOf(1)).toEqual([kept]);
    const finish = new FinishService(poolOf(database.dataSource), createLogger('test', 'silent'));
    while (await finish.purge());
    expect(await database.sql('SELECT DISTINCT mailing_id AS id FROM client_mailings')).toEqual([
      { id: kept },
    ]);
  });

  it('says no more where it went when the client is deleted', async () => {
    const [client = 0, other = 0] = await addClients(database.dataSource, [{}, {}]);
    const mailing = await addMailing(database.dataSource);
    await addMessages(database.dataSource, mailing, [
      { status: 'sent', clientId: client, address: '79160000001' },
      { status: 'sent', clientId: other, address: '79160000002' },
    ]);
    await clients.delete(someActor, client);
    expect(await database.sql('SELECT address FROM messages ORDER BY id')).toEqual([
      { address: null },
      { address: '79160000002' },
    ]);
  });

  describe('and the lists beside it, after many mailings', () => {
    const explained = async (read: (db: Queryable) => Promise<unknown>) => {
      const plans: string[] = [];
      const explain = async ({ text, values = [] }: Statement) => {
        const { rows } = await poolOf(database.dataSource).query<{ 'QUERY PLAN': string }>(
          `EXPLAIN ${text}`,
          values,
        );
        plans.push(...rows.map((row) => row['QUERY PLAN']));
        return { rows: [], rowCount: 0 };
      };
      // What comes back is the plan and not what was asked for.
      await read({ query: explain }).catch(() => undefined);
      return plans.join('\n');
    };

    beforeEach(async () => {
      await addManyClients(database.dataSource, 200);
      await database.sql(
        `INSERT INTO mailings (name, channel, lane_id, filter, start_at, end_at, status, finished_at)
         SELECT 'mailing ' || i, 'notification', l.id, '{}', now(), now() + interval '1 day',
           'completed', now() FROM generate_series(1, 20000) i, lanes l`,
      );
      await database.sql(
        `INSERT INTO mailing_contents (mailing_id, version, content)
         SELECT id, 1, jsonb_build_object('text', repeat('text ', 300)) FROM mailings`,
      );
      await database.sql(
        `INSERT INTO mailing_counters (mailing_id, planned, in_totals)
         SELECT id, true, id % 1000 <> 0 FROM mailings`,
      );
      await database.sql(
        `INSERT INTO messages (mailing_id, client_id, zone_id)
         SELECT g.id, c.id, c.zone_id FROM mailings g
         CROSS JOIN LATERAL (SELECT * FROM clients WHERE id > g.id % 190 ORDER BY id LIMIT 3) c`,
      );
      // As if each had been planned by itself.
      await database.sql('TRUNCATE client_mailings');
      await database.sql(
        'INSERT INTO client_mailings (key, mailing_id) SELECT client_id, mailing_id FROM messages',
      );
      await database.sql('VACUUM ANALYZE');
    }, 60_000);

    it('read no table from end to end', async () => {
      const db = await explained((it) => readGeneralStatistics(it, { before: null, limit: 50 }));
      expect(db).toMatch(/mailing_counters_unfinished/);
      expect(db).not.toMatch(/Seq Scan on (mailings|mailing_counters)/);

      const search = { status: null, name: 'nowhere', before: null, limit: 50 };
      const names = await explained((it) => listMailings(it, search));
      expect(names).toMatch(/Index Only Scan.* using mailings_listed/);
      expect(names).not.toMatch(/Seq Scan|Sort/);

      const open = await explained((it) => lockOpenMessagesOfClient(it, 77));
      expect(open).toMatch(/Index.* using client_mailings_pkey/);
      expect(open).not.toMatch(/Seq Scan/);
    });
  });
});
