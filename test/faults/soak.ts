import { Redis } from 'ioredis';
import { sleep, waitFor } from '@app/testkit';
import { BOTH, type Scenario } from './scenario.js';
import { now, type Trial } from './trial.js';

const CONCURRENCY = 16;
const WORKERS = 2;
const GROUPS = 8;
const GROUP_SIZE = 150;
const CALM = { latency: { distribution: 'uniform', minMs: 5, maxMs: 60 } };

type Fault = (trial: Trial) => Promise<void>;

/** What a worker or the provider had in hand may be taken twice. */
const mayDouble = (trial: Trial, workers: number) => {
  trial.duplicates += workers * CONCURRENCY;
};

const FAULTS: Record<string, Fault> = {
  'worker killed': async (trial) => {
    mayDouble(trial, 1);
    await trial.cluster.kill(trial.random.pick(trial.cluster.workers));
    await trial.cluster.startWorker();
  },
  'worker replaced': async (trial) => {
    await trial.cluster.startWorker();
    await trial.cluster.stop(trial.random.pick(trial.cluster.workers));
  },
  'worker stands still': async (trial) => {
    mayDouble(trial, 1);
    const victim = trial.random.pick(trial.cluster.workers);
    trial.cluster.freeze(victim);
    await sleep(trial.random.between(500, 40_000));
    trial.cluster.thaw(victim);
  },
  'beat killed': async (trial) => {
    await trial.cluster.kill(trial.random.pick(trial.cluster.beats));
    await trial.cluster.startBeat();
  },
  'beat stands still': async (trial) => {
    const victim = trial.random.pick(trial.cluster.beats);
    trial.cluster.freeze(victim);
    await sleep(trial.random.between(500, 15_000));
    trial.cluster.thaw(victim);
  },
  'api killed': async (trial) => {
    await trial.cluster.kill(trial.cluster.api);
    await trial.cluster.startApi();
  },
  'postgres crashed': async (trial) => {
    const { postgres } = trial.cluster.options;
    await postgres.crash();
    await sleep(trial.random.between(100, 8_000));
    await postgres.resume();
  },
  'postgres connections reset': (trial) => {
    trial.proxies.postgres.cut();
    return Promise.resolve();
  },
  'postgres half-open': (trial) => {
    mayDouble(trial, WORKERS);
    trial.proxies.postgres.freeze();
    return Promise.resolve();
  },
  'postgres sessions terminated': async (trial) => {
    await trial.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name <> 'suite'`,
    );
  },
  'queue emptied': async (trial) => {
    if (!trial.proxies.redis) {
      await trial.sql('TRUNCATE bullmq.job CASCADE');
      return;
    }
    const redis = new Redis(trial.cluster.queueUrl);
    await redis.flushall();
    redis.disconnect();
  },
  'redis restarted': async (trial) => {
    await trial.cluster.stopRedis();
    await sleep(trial.random.between(100, 8_000));
    if (trial.proxies.redis) await trial.cluster.startRedis();
  },
  'redis half-open': (trial) => {
    trial.proxies.redis?.freeze();
    return Promise.resolve();
  },
  'provider connections reset': (trial) => {
    mayDouble(trial, WORKERS);
    trial.proxies.provider.cut();
    return Promise.resolve();
  },
  'provider refuses': async (trial) => {
    mayDouble(trial, WORKERS);
    await trial.proxies.provider.refuse();
    await sleep(trial.random.between(500, 10_000));
    await trial.proxies.provider.heal();
  },
  'provider misbehaves': async (trial) => {
    const share = trial.random.next() * 0.4;
    const rule = trial.random.pick([
      { fault: 'status', status: 503, share },
      { fault: 'status', status: 429, retryAfter: 1, share },
      { fault: 'html', share },
      { fault: 'hang', share: share / 4 },
      { fault: 'reset-after-body', accepted: true, share: 0.2, times: CONCURRENCY },
      { fault: 'drip', intervalMs: 200, share: share / 4 },
    ]);
    if (rule.fault === 'reset-after-body') mayDouble(trial, 1);
    await trial.provider.faults({ ...CALM, seed: trial.random.between(1, 1_000), rules: [rule] });
    await sleep(trial.random.between(1_000, 10_000));
    await trial.provider.faults(CALM);
  },
};

/** Random faults, one after the other, while mailings come in, for so many minutes. */
export function soak(minutes: number, say: (line: string) => void): Scenario {
  return {
    name: 'soak',
    holds: `all invariants, through ${minutes} min of random faults`,
    backends: BOTH,
    workers: WORKERS,
    beats: 2,
    concurrency: CONCURRENCY,
    answersMayGetLost: true,
    settleMs: 300_000,
    run: async (trial) => {
      for (let group = 0; group < GROUPS; group++) {
        await trial.clients(GROUP_SIZE, { operatorCode: String(900 + group) });
      }
      await trial.provider.faults(CALM);
      const until = now() + minutes * 60_000;
      await Promise.all([
        repeat(until, async () => {
          await breakSomething(trial, say);
        }),
        repeat(until, async () => {
          await mail(trial);
        }),
      ]);
    },
  };
}

async function repeat(until: number, work: () => Promise<void>): Promise<void> {
  while (now() < until) await work();
}

async function breakSomething(trial: Trial, say: (line: string) => void): Promise<void> {
  const name = trial.random.pick(Object.keys(FAULTS));
  say(`${new Date().toISOString()} ${name}`);
  await FAULTS[name]?.(trial);
  await sleep(trial.random.between(500, 6_000));
}

/** A mailing to some of the groups, now and then paused or edited. The API may be down at any time. */
async function mail(trial: Trial): Promise<void> {
  const { random } = trial;
  const operatorCodes = Array.from({ length: 2 }, () =>
    String(900 + random.between(0, GROUPS - 1)),
  );
  const clients = await trial
    .sql<{ id: number }>('SELECT id FROM clients WHERE operator_code = ANY ($1)', operatorCodes)
    .catch(() => []);
  const ends = random.next() < 0.3 ? { endsInMs: random.between(2_000, 20_000) } : {};
  const body = trial.mailingBody({ operatorCodes, ...ends });
  const answer = await trial.call<{ id: number }>('POST', '/mailings', body).catch(() => null);
  if (answer?.status === 201 && clients.length > 0) {
    const { id } = answer.body;
    trial.created(
      id,
      clients.map((client) => client.id),
    );
    await steer(trial, id);
  }
  await sleep(random.between(1_000, 5_000));
}

async function steer(trial: Trial, id: number): Promise<void> {
  const { random } = trial;
  if (random.next() < 0.6) return;
  await sleep(random.between(100, 2_000));
  const paused = await trial.call('POST', `/mailings/${id}/pause`).catch(() => null);
  await sleep(random.between(100, 2_000));
  if (paused && paused.status >= 400 && paused.status < 500) return;
  const last = random.next() < 0.3 ? 'cancel' : 'resume';
  // Without an answer it may be paused all the same, and would stay so: ask until there is one.
  await waitFor(async () => (await trial.call('POST', `/mailings/${id}/${last}`)).status < 500, {
    timeoutMs: 120_000,
    what: `mailing ${id} takes ${last}`,
    everyMs: 250,
  });
}
