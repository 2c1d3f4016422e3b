import { oneAtATime, type Queryable } from '@app/database';
import { DispatchService, FinishService, PlanService, SlotsService } from '@app/engine';
import { TokenExpiries } from '@app/lanes';
import { Reports } from '@app/reports';
import { createLogger, systemClock } from '@app/platform';
import { DeliveryQueues, migrateQueue } from '@app/queue';
import {
  addFinishedMailings,
  addMailing,
  createTestDatabase,
  openSlots,
  type TestDatabase,
} from '@app/testkit';
import pg from 'pg';
import { schedule, type Task } from './schedule.js';
import { Signal } from './signal.js';

const FINISHED = 300_000;
/** Pages of 8 KB: a few for each unfinished mailing, and nothing for those that have finished. */
const MOST_PAGES = 100;
/** From the sixth execution on a plan may be one for all values, which is kept. */
const EXECUTIONS = 7;

interface Explained {
  statement: string;
  pages: number;
}

/**
 * Each statement that beat repeats while nothing happens, explained while it runs: what it reads must
 * not grow with the mailings that have finished.
 */
describe(`an idle beat after ${FINISHED} finished mailings`, () => {
  let database: TestDatabase;
  let session: pg.Client;
  let seen: Explained[];
  let tasks: Task[];
  let dispatch: DispatchService;
  let queues: DeliveryQueues;
  let reports: Reports;

  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateQueue(database.url);
    session = new pg.Client({ connectionString: database.url });
    await session.connect();
    await session.query('SET enable_seqscan = off; SET jit = off');
    await session.query(`
      LOAD 'auto_explain';
      SET auto_explain.log_min_duration = 0;
      SET auto_explain.log_analyze = on;
      SET auto_explain.log_buffers = on;
      SET auto_explain.log_nested_statements = on;
      SET auto_explain.log_format = json;
      SET client_min_messages = log`);
    session.on('notice', (notice) => seen.push(explained(notice.message ?? '')));
    const db: Queryable = oneAtATime(session);
    const logger = createLogger('test', 'silent');
    const slots = new SlotsService(db, logger);
    const shared = { db, read: db, clock: systemClock, logger };
    queues = new DeliveryQueues({ url: database.url, prefix: 'test', logger });
    dispatch = new DispatchService({
      ...shared,
      openQueue: (lane) => queues.open(lane),
      concurrency: 16,
    });
    reports = new Reports({
      ...shared,
      settings: {
        time: '09:00',
        timezone: 'Europe/Moscow',
        language: 'en',
        recipients: [],
        publicUrl: 'http://localhost:3000',
      },
      alerts: {
        errorRate: 0.2,
        webhookUrl: undefined,
        tokens: new TokenExpiries(undefined),
      },
      mail: { url: undefined, from: 'posthorn@example.com' },
    });
    const services = {
      slots,
      plan: new PlanService(db, db, slots, logger),
      dispatch,
      finish: new FinishService(db, logger),
      reports,
    };
    tasks = schedule(services, new Signal());
    seen = [];
    // As in an installation: plans are made while the tables are still empty.
    for (let time = 0; time < EXECUTIONS; time++) await runAll();
    await fill(database);
    for (let time = 0; time < EXECUTIONS; time++) await runAll();
  }, 120_000);
  afterAll(async () => {
    reports.close();
    await dispatch.close();
    await queues.close();
    await session.end();
    await database.drop();
  });

  async function runAll(): Promise<void> {
    for (const task of tasks) await task.run();
  }
  async function statements(): Promise<Explained[]> {
    seen = [];
    await runAll();
    return seen;
  }
  const costly = (all: Explained[]) => all.filter(({ pages }) => pages > MOST_PAGES);

  it('reads nothing of them', async () => {
    const all = await statements();
    expect(all.length).toBeGreaterThan(15);
    expect(costly(all)).toEqual([]);
    expect(all.reduce((sum, { pages }) => sum + pages, 0)).toBeLessThan(10 * MOST_PAGES);
  });

  it('would be seen reading them', async () => {
    seen = [];
    await session.query(`SELECT count(*) FROM mailings WHERE status = 'scheduled'`);
    expect(costly(seen)).toHaveLength(1);
  });
});

/** What auto_explain says of one statement. */
function explained(notice: string): Explained {
  const { 'Query Text': statement, Plan: plan } = JSON.parse(
    notice.slice(notice.indexOf('{')),
  ) as Record<string, string> & { Plan: Record<string, number> };
  return {
    statement: statement ?? '',
    pages: (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0),
  };
}

/** Three that have not finished, beside many that have. */
async function fill(database: TestDatabase): Promise<void> {
  const session = new pg.Client({ connectionString: database.url });
  await session.connect();
  await addFinishedMailings(session, FINISHED);
  await session.end();
  for (const status of ['scheduled', 'running', 'paused'] as const) {
    const id = await addMailing(database.dataSource, {
      status,
      ...(status === 'scheduled' && { startsIn: 30 }),
    });
    await openSlots(database.dataSource, id);
  }
}
