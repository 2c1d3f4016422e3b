import { poolOf, type Queryable } from '@app/database';
import { createLogger, systemClock } from '@app/platform';
import {
  addMailing,
  addManyClients,
  createTestDatabase,
  openSlots,
  type TestDatabase,
  waitFor,
} from '@app/testkit';
import { DispatchService } from './dispatch.service.js';
import { FakeQueue } from './fake-queue.js';

describe('dispatching to several lanes', () => {
  let database: TestDatabase;
  let queues: Map<string, FakeQueue>;
  let opened: string[];
  let isAway: boolean;
  let service: DispatchService;

  beforeAll(async () => {
    database = await createTestDatabase();
    await addManyClients(database.dataSource, 2_000);
    await database.sql(`INSERT INTO lanes (name, channel) VALUES ('other', 'telegram')`);
  });
  beforeEach(async () => {
    await database.sql('TRUNCATE messages, mailings, mailing_counters, mailing_slots CASCADE');
    queues = new Map([
      ['notification', new FakeQueue()],
      ['other', new FakeQueue()],
    ]);
    opened = [];
    isAway = false;
    const db: Queryable = poolOf(database.dataSource);
    service = new DispatchService({
      db,
      read: {
        query: (statement) =>
          isAway ? Promise.reject(new Error('the database is away')) : db.query(statement),
      },
      concurrency: 10,
      clock: systemClock,
      logger: createLogger('test', 'silent'),
      openQueue: (lane) => {
        opened.push(lane);
        return queue(lane).asQueue;
      },
    });
    for (const lane of [1, 2]) await mailing(lane);
  });
  afterEach(() => service.close());
  afterAll(() => database.drop());

  const queue = (lane: string): FakeQueue => {
    const found = queues.get(lane);
    if (!found) throw new Error(`no queue of ${lane}`);
    return found;
  };
  async function mailing(lane: number): Promise<void> {
    const id = await addMailing(database.dataSource);
    await database.sql('UPDATE mailings SET lane_id = $2 WHERE id = $1', [id, lane]);
    await database.sql(
      'INSERT INTO messages (mailing_id, client_id, zone_id) SELECT $1, id, zone_id FROM clients',
      [id],
    );
    await database.sql(
      'UPDATE mailing_counters SET total = 2000, pending = 2000 WHERE mailing_id = $1',
      [id],
    );
    await openSlots(database.dataSource, id);
  }

  it('feeds each of them', async () => {
    await service.run();
    expect(queue('notification').waitingJobs).toHaveLength(20);
    expect(queue('other').waitingJobs).toHaveLength(20);
  });

  it('goes on with the others while the queue of one does not answer at all', async () => {
    queue('notification').hangs = true;
    await service.run();
    const other = queue('other');
    for (let look = 0; look < 3; look++) {
      other.waitingJobs = [];
      const startedAt = performance.now();
      await service.run();
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(other.waitingJobs.length).toBeGreaterThanOrEqual(20);
    }
  });

  it('looks again soon while a look is under way: its queue would run dry in the pause of an idle beat', async () => {
    queue('notification').hangs = true;
    queue('other').hangs = true;
    expect(await service.run()).toBeLessThanOrEqual(100);
    expect(await service.run()).toBeLessThanOrEqual(100);
  });

  it('opens another queue for the one that is down, and for no other', async () => {
    await service.run();
    queue('notification').isDown = true;
    queue('notification').waitingJobs = [];
    await service.run();
    expect(opened).toEqual(['notification', 'other', 'notification']);
    queue('notification').isDown = false;
    await waitFor(
      async () => {
        await service.run();
        return queue('notification').waitingJobs.length >= 20;
      },
      { timeoutMs: 5_000, what: 'the lane is fed again' },
    );
  });

  it('does not take an error of the database for one of the queue', async () => {
    await service.run();
    queue('other').waitingJobs.splice(0, 10);
    isAway = true;
    await expect(service.run()).rejects.toThrow('the database is away');
    isAway = false;
    await waitFor(
      async () => {
        await service.run();
        return queue('other').waitingJobs.length >= 20;
      },
      { timeoutMs: 5_000, what: 'the lane is fed again' },
    );
    expect(opened).toEqual(['notification', 'other']);
    expect(queue('other').ignored).toBe(0);
  });
});
