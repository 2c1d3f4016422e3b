import { createQueue } from '@app/queue';
import { sleep, waitFor } from '@app/testkit';
import { Redis } from 'ioredis';
import { expectUnaffected, useApi } from '../api-load.js';
import { momentsOf } from '../rates.js';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

const STEADY = { latency: { distribution: 'fixed', ms: 50 } };
const MINUTE_MS = 60_000;
/** Long enough for two looks without an answer. */
const RESTART_MS = 20_000;
const MAILINGS = 10;
/** The connection is opened again in less. */
const AFTER_LOSS_MS = 1_500;
/** A lane is looked at every 5 s, also without a notification. */
const LOOKED_AT_MS = 3_000;

export const queueScenarios = scenarios(
  {
    name: 'redis-flushed',
    holds: 'everything that the queue lost is found again within 30 s, without a restart',
    backends: ['redis'],
    short: true,
    run: async (trial) => {
      await trial.clients(2_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      const redis = new Redis(trial.cluster.queueUrl);
      const since = now();
      for (let time = 0; time < 3; time++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, sent + 300);
        await redis.flushall();
      }
      redis.disconnect();
      await trial.finished(mailing);
      await trial.pauses('FLUSHALL', 30_000, since);
    },
  },
  {
    name: 'queue-tables-emptied',
    holds: 'everything that the queue lost is found again within 30 s, without a restart',
    backends: ['postgres'],
    short: true,
    run: async (trial) => {
      await trial.clients(2_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      const since = now();
      for (let time = 0; time < 3; time++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, sent + 300);
        await trial.sql('TRUNCATE bullmq.job CASCADE');
      }
      await trial.finished(mailing);
      await trial.pauses('the queue was emptied', 30_000, since);
    },
  },
  {
    name: 'redis-down-for-a-minute',
    holds: 'the API answers as fast as before, and sending goes on within 30 s of the restart',
    backends: ['redis'],
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(3_000);
      await trial.provider.faults(STEADY);
      const before = await useApi(trial, 20);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      const since = now();
      await cluster.stopRedis();
      const during = await useApi(trial, 20);
      await trial.sleepUntil(since + MINUTE_MS);
      during.push(...(await useApi(trial, 20)));
      expectUnaffected(trial, 'without Redis', before, during);
      await cluster.startRedis();
      await trial.resumes('Redis was started again', 30_000);
      await trial.finished(mailing);
    },
  },
  {
    name: 'redis-restarted',
    holds: 'twice away for 20 s: sending goes on within 15 s of each restart, and nothing is lost',
    backends: ['redis'],
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(2_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      for (let time = 0; time < 2; time++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, sent + 200);
        await cluster.stopRedis();
        await sleep(RESTART_MS);
        await cluster.startRedis();
        await trial.resumes('Redis was restarted', 15_000);
      }
      await trial.finished(mailing);
    },
  },
  {
    name: 'doorbell-lost',
    holds: 'who waits for jobs hears of them again at once, each time that this connection is lost',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(20);
      await trial.provider.faults(STEADY);
      const waits: number[] = [];
      for (let time = 0; time < MAILINGS; time++) {
        await killDoorbell(trial);
        await sleep(AFTER_LOSS_MS);
        const mailing = await trial.mailing();
        await trial.finished(mailing);
        waits.push(...(await waitsOf(trial, mailing)));
      }
      const longest = Math.round(Math.max(...waits));
      trial.expect(
        longest < LOOKED_AT_MS,
        `no message waits for a look at the queue, not even ${longest} ms`,
      );
    },
  },
  {
    name: 'redis-half-open',
    holds: 'dead connections are noticed within 60 s',
    backends: ['redis'],
    run: async (trial) => {
      const { redis } = trial.proxies;
      await trial.clients(3_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      const since = now();
      redis?.freeze();
      await trial.finished(mailing, 120_000);
      await trial.pauses('the connections to Redis died silently', MINUTE_MS, since);
    },
  },
  {
    name: 'poison-jobs',
    holds: 'jobs that are none end as failed ones at once, and hold up nobody',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(300);
      await trial.provider.faults(STEADY);
      const poison = await addPoison(trial);
      const mailing = await trial.mailing();
      await trial.finished(mailing);
      const reasons = await waitFor(
        async () => {
          const failed = await failedJobs(trial);
          return failed.length >= poison && failed;
        },
        { timeoutMs: 15_000, what: 'the poisonous jobs have failed' },
      );
      trial.expect(
        reasons.every((reason) => reason.includes('not a delivery')),
        `each failed for what it is: ${reasons.join('; ')}`,
      );
    },
  },
);

/** Ends the worker's connection for notifications of new jobs, on either backend. */
async function killDoorbell(trial: Trial): Promise<void> {
  const { queueUrl } = trial.cluster;
  if (queueUrl.startsWith('postgres')) {
    await trial.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'posthorn-queue-bell' AND datname = current_database()`,
    );
    return;
  }
  const redis = new Redis(queueUrl);
  const list = (await redis.call('CLIENT', 'LIST')) as string;
  for (const line of list.split('\n').filter((client) => client.includes(':bell '))) {
    await redis.call('CLIENT', 'KILL', 'ID', /^id=(\d+)/.exec(line)?.[1] ?? '');
  }
  redis.disconnect();
}

/** From its row to the provider, ms, of each message of a mailing. */
async function waitsOf(trial: Trial, mailing: number): Promise<number[]> {
  const moments = (await momentsOf(trial)).get(mailing) ?? [];
  const [planned] = await trial.sql<{ at: number }>(
    `SELECT extract(epoch FROM max(created_at))::float8 * 1000 AS at
     FROM messages WHERE mailing_id = $1`,
    mailing,
  );
  return moments.map((at) => at - (planned?.at ?? 0));
}

/** @returns how many of them are no job at all; the others name messages that do not exist. */
async function addPoison(trial: Trial): Promise<number> {
  const opened = createQueue('notification', trial.cluster.queueUrl, {
    prefix: await trial.queuePrefix(),
  });
  const poison: unknown[] = [
    {},
    { messageId: 'seven' },
    { messageId: -1 },
    { messageId: 1.5 },
    { messageId: 1, probe: 'x' },
    ['messageId'],
    { text: 'x'.repeat(100_000) },
  ];
  const unknown = [{ messageId: 999_999_999 }, { messageId: 999_999_998, probe: 12 }];
  try {
    await opened.queue.waitUntilReady();
    for (const data of [...poison, ...unknown])
      await opened.queue.add('deliver', data, { attempts: 6 });
  } finally {
    await opened.close();
  }
  return poison.length;
}

async function failedJobs(trial: Trial): Promise<string[]> {
  const opened = createQueue('notification', trial.cluster.queueUrl, {
    prefix: await trial.queuePrefix(),
  });
  try {
    await opened.queue.waitUntilReady();
    const jobs = await opened.queue.getFailed(0, 100);
    return jobs.map((job) => job.failedReason);
  } finally {
    await opened.close();
  }
}
