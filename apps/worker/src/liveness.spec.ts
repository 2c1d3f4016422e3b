import { messageOf } from '@app/platform';
import { createTestDatabase, type TestDatabase, waitFor } from '@app/testkit';
import { isDatabaseFree, Liveness } from './liveness.js';

describe('the liveness of a worker', () => {
  let stalledMs: number;
  let database: () => Promise<boolean>;
  let liveness: Liveness;
  const fails = () =>
    waitFor(
      () =>
        liveness.check().then(
          () => false,
          (error: unknown) => messageOf(error),
        ),
      { timeoutMs: 5_000, what: 'liveness fails', everyMs: 5 },
    );
  const looks = () => new Promise((resolve) => setTimeout(resolve, 50));

  beforeEach(() => {
    stalledMs = 0;
    database = () => Promise.resolve(true);
    liveness = new Liveness({
      stalledForMs: () => stalledMs,
      isDatabaseFree: () => database(),
      lookMs: 5,
    });
  });
  afterEach(() => {
    liveness.stop();
  });

  it('fails when jobs wait for a minute and none is taken, and recovers', async () => {
    stalledMs = 59_000;
    await looks();
    await expect(liveness.check()).resolves.toBeUndefined();
    stalledMs = 61_000;
    expect(await fails()).toBe('jobs have been waiting for 61 s and none is taken');
    stalledMs = 0;
    await looks();
    await expect(liveness.check()).resolves.toBeUndefined();
  });

  it.each([
    ['is away', () => Promise.reject(new Error('connect ECONNREFUSED'))],
    ['holds us up itself', () => Promise.resolve(false)],
  ])('does not fail when the database %s', async (_, answer) => {
    database = answer;
    stalledMs = 120_000;
    await looks();
    await expect(liveness.check()).resolves.toBeUndefined();
  });

  describe('asks the database', () => {
    let real: TestDatabase;
    beforeAll(async () => {
      real = await createTestDatabase();
    });
    afterAll(() => real.drop());

    it('which is free until a statement of ours waits for a lock', async () => {
      const us = `liveness-${process.pid}`;
      expect(await isDatabaseFree(real.url, us)).toBe(true);
      const holder = real.dataSource.createQueryRunner();
      const waiter = real.dataSource.createQueryRunner();
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE messages');
      await waiter.query(`SET application_name = '${us}'`);
      const waiting = waiter.query('SELECT count(*) FROM messages');
      await waitFor(async () => !(await isDatabaseFree(real.url, us)), {
        timeoutMs: 5_000,
        what: 'it waits',
      });
      await holder.query('COMMIT');
      await waiting;
      await waiter.query('RESET application_name');
      await Promise.all([holder.release(), waiter.release()]);
    });
  });
});
