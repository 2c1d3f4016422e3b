import { createLogger } from '@app/platform';
import { DeliveryQueues } from '@app/queue';
import { sleep } from '@app/testkit';
import { useApi } from '../api-load.js';
import { measureRates, momentsOf } from '../rates.js';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

const SECONDS = 10;
/** Planning has come far enough, and what was reserved at first was used. */
const SETTLED_MS = 2_500;
/** The look-ahead is a second of what 16 places send, about 200 messages. */
const MOST_WAITING = 300;

export const rateScenarios = scenarios(
  {
    name: 'rate-reached-over-many-timezones',
    holds: 'mailings with a rate reach it and keep it, also where the clients live in 60 timezones',
    backends: BOTH,
    workers: 2,
    run: async (trial) => {
      await clientsInZones(trial, 60, 10);
      const rates = new Map<number, number>();
      for (const ratePerSecond of [40, 3]) {
        rates.set(await trial.mailing({ ratePerSecond }), ratePerSecond);
      }
      await expectRates(trial, rates);
      await cancelAll(trial, [...rates.keys()]);
    },
  },
  {
    name: 'small-mailing-beside-a-large-one',
    holds:
      'in a lane with a rate a mailing of 100 ends within 6 s beside a large one; equal ones share',
    backends: BOTH,
    workers: 2,
    run: async (trial) => {
      await trial.clients(2_000);
      const few = await trial.clients(100, { operatorCode: '917' });
      await trial.done('PUT', '/channels/notification/rate', { ratePerSecond: 50 });
      const large = await trial.mailing();
      await trial.sent(large, 50);
      const since = now();
      const small = await trial.mailing({ operatorCodes: ['917'], audience: few });
      await trial.drains(small, 'a mailing of 100 beside a large one', 6_000, since);
      const other = await trial.mailing();
      await trial.sent(other, 20);
      const before = await sentOf(trial, [large, other]);
      await sleep(6_000);
      const after = await sentOf(trial, [large, other]);
      const [a = 0, b = 0] = after.map((count, index) => count - (before[index] ?? 0));
      const isEqual = Math.abs(a - b) <= 0.15 * Math.max(a, b) + 2;
      trial.expect(isEqual, `two mailings get equal shares, not ${a} and ${b}`);
      await cancelAll(trial, [large, other]);
    },
  },
  {
    name: 'rates-of-lane-and-mailing',
    holds:
      'a mailing with a rate reaches it in a lane with a higher one; another gets what is left',
    backends: BOTH,
    workers: 3,
    run: async (trial) => {
      await trial.clients(700);
      await trial.done('PUT', '/channels/notification/rate', { ratePerSecond: 50 });
      const slow = await trial.mailing({ ratePerSecond: 20 });
      const other = await trial.mailing();
      await expectRates(trial, new Map([[slow, 20]]), { lane: 50 });
      await cancelAll(trial, [slow, other]);
    },
  },
  {
    name: 'many-mailings-over-many-timezones',
    holds:
      'the queue holds no more than the look-ahead; a mailing that is planned begins within 4 s',
    backends: BOTH,
    run: async (trial) => {
      await clientsInZones(trial, 400, 1);
      await trial.provider.faults({ latency: { distribution: 'fixed', ms: 80 } });
      const begins = 3_000;
      const mailings: number[] = [];
      for (let nth = 0; nth < 20; nth++) {
        mailings.push(await trial.mailing({ startsInMs: begins }));
      }
      const most = await mostWaiting(trial, now() + begins + 9_000);
      trial.expect(
        most <= MOST_WAITING,
        `at most ${MOST_WAITING} jobs wait at any time, not ${most}`,
      );
      const waits = await waitsOfFirst(trial, mailings);
      const late = waits.filter((ms) => ms > 4_000);
      trial.expect(late.length === 0, `mailings began late, after ms: ${late.join(', ')}`);
      await cancelAll(trial, mailings);
    },
  },
  {
    name: 'api-writes-while-sending',
    holds: 'each message is fed once, however often the API says that something changed',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults({ latency: { distribution: 'fixed', ms: 60 } });
      const mailing = await trial.mailing();
      await trial.sent(mailing, 50);
      let isOver = false;
      const load = Promise.all(
        [1, 2, 3].map(async () => {
          while (!isOver) await useApi(trial, 1);
        }),
      );
      await trial.finished(mailing);
      isOver = true;
      await load;
      const fed = await jobsFed(trial);
      trial.expect(fed <= 1_515, `1500 messages are fed once each, not ${fed} jobs`);
    },
  },
);

/** So many clients in each of so many timezones. */
async function clientsInZones(trial: Trial, zones: number, each: number): Promise<void> {
  const names = Intl.supportedValuesOf('timeZone').slice(0, zones);
  for (const timezone of names) await trial.clients(each, { timezone });
}

/** Each mailing's rate, and the lane's, over ten seconds from a little later on. */
async function expectRates(
  trial: Trial,
  rates: ReadonlyMap<number, number>,
  { lane }: { lane?: number } = {},
): Promise<void> {
  for (const id of rates.keys()) await trial.sent(id, 1);
  await sleep(SETTLED_MS);
  const measured = measureRates(trial, now(), SECONDS);
  await sleep(SECONDS * 1_000 + 500);
  const check = measured();
  const moments = await momentsOf(trial);
  for (const [id, rate] of rates) check(`mailing ${id}`, rate, moments.get(id) ?? []);
  if (lane !== undefined) check('the lane', lane, [...moments.values()].flat());
}

async function sentOf(trial: Trial, mailings: number[]): Promise<number[]> {
  return Promise.all(mailings.map(async (id) => (await trial.counters(id)).sent));
}

async function cancelAll(trial: Trial, mailings: number[]): Promise<void> {
  for (const id of mailings) await trial.done('POST', `/mailings/${id}/cancel`);
}

/** The most jobs that wait in the queue until then. */
async function mostWaiting(trial: Trial, until: number): Promise<number> {
  const logger = createLogger('suite', 'silent');
  const prefix = await trial.queuePrefix();
  const queues = new DeliveryQueues({ url: trial.cluster.queueUrl, prefix, logger });
  const queue = queues.open('notification');
  let most = 0;
  while (now() < until) {
    most = Math.max(most, await queue.waiting());
    await sleep(50);
  }
  await queues.close();
  return most;
}

/** From the first row of each mailing to its first message at the provider, ms. */
async function waitsOfFirst(trial: Trial, mailings: number[]): Promise<number[]> {
  const moments = await momentsOf(trial);
  const planned = await trial.sql<{ id: number; at: number }>(
    `SELECT mailing_id AS id, extract(epoch FROM min(created_at))::float8 * 1000 AS at
     FROM messages GROUP BY 1`,
  );
  const plannedAt = new Map(planned.map(({ id, at }) => [id, at]));
  return mailings.map((id) => {
    const first = Math.min(...(moments.get(id) ?? [Infinity]));
    return Math.round(first - (plannedAt.get(id) ?? 0));
  });
}

async function jobsFed(trial: Trial): Promise<number> {
  const leader = await trial.cluster.leader();
  const metrics = await (await fetch(`${leader.url}/metrics`)).text();
  return Number(/^posthorn_jobs_fed_total\{[^}]*\} (\d+)$/m.exec(metrics)?.[1]);
}
