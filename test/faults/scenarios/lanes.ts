import { type RunningProcess, type SecondProvider, sleep, waitFor } from '@app/testkit';
import { preload } from '../preload.js';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

const PLACES = 32;
/** Per second, of the lane that is measured: well below what a busy machine sends. */
const SPEED = 100;
const OTHER = 'telegram';
/** Share of its speed alone that a lane keeps beside a bad one. */
const KEPT = 0.95;
/** Without a rate the speed of a lane varies with the machine. */
const KEPT_AT_FULL_SPEED = 0.75;
const MOST_PAIRS = 3;
const IDLE_LANES = 100;
const MB = 1_048_576;
const DATABASE = 'connections to the database';
/** A worker looks for lanes every 2 s, and the machine may be busy. */
const SERVED_MS = 6_000;

const FAULTS: Record<string, (second: SecondProvider) => Promise<unknown>> = {
  'is down': ({ proxy }) => proxy.refuse(),
  hangs: ({ provider }) => provider.faults({ rules: [{ fault: 'hang' }] }),
  'asks to wait': ({ provider }) =>
    provider.faults({ rules: [{ fault: 'status', status: 429, retryAfter: 1 }] }),
  'refuses the token': ({ provider }) => provider.faults({ token: { expired: true } }),
};

export const laneScenarios = scenarios(
  {
    name: 'lane-beside-a-bad-one',
    holds: 'a lane keeps 95 % of its speed beside one that is down, hangs, is limited or refused',
    backends: BOTH,
    concurrency: PLACES,
    secondChannel: true,
    answersMayGetLost: true,
    run: async (trial) => {
      const second = await addOtherLane(trial);
      await trial.clients(6_000);
      await trial.provider.faults({ latency: { distribution: 'fixed', ms: 20 } });
      await trial.done('PUT', '/channels/notification/rate', { ratePerSecond: SPEED });
      const bad = await trial.mailing({ channel: OTHER });
      await receives(second.provider);
      await trial.done('POST', `/mailings/${bad}/pause`);
      const good = await trial.mailing();
      await trial.sent(good, SPEED);
      for (const [what, begin] of Object.entries(FAULTS)) {
        await expectKept(trial, `beside a lane whose provider ${what}`, KEPT, {
          alone: () => speed(trial, 2_500),
          beside: async () => {
            await begin(second);
            const perSecond = await speedBeside(trial, bad, 4_000);
            await repair(second);
            return perSecond;
          },
        });
      }
      await end(trial, [good, bad]);
    },
  },
  {
    name: 'lane-at-full-speed-beside-a-hanging-one',
    holds: 'a lane without a rate is about as fast beside one that hangs as alone',
    backends: BOTH,
    concurrency: 4 * PLACES,
    secondChannel: true,
    answersMayGetLost: true,
    run: async (trial) => {
      const second = await addOtherLane(trial);
      await trial.clients(14_000);
      const bad = await trial.mailing({ channel: OTHER });
      await receives(second.provider);
      await second.provider.faults({ rules: [{ fault: 'hang' }] });
      await trial.done('POST', `/mailings/${bad}/pause`);
      const good = await trial.mailing();
      await trial.sent(good, 500);
      await expectKept(trial, 'beside a lane that hangs', KEPT_AT_FULL_SPEED, {
        alone: () => speed(trial, 1_500),
        beside: () => speedBeside(trial, bad, 1_500),
      });
      await repair(second);
      await end(trial, [good, bad]);
    },
  },
  {
    name: 'lane-comes-and-goes',
    holds: 'a lane is served within 6 s of its row, ends with it, and holds up no other meanwhile',
    backends: BOTH,
    workers: 2,
    concurrency: PLACES,
    secondChannel: true,
    run: async (trial) => {
      await trial.clients(3_000);
      const few = await trial.clients(300, { operatorCode: '917' });
      await trial.provider.faults({ latency: { distribution: 'fixed', ms: 20 } });
      await trial.done('PUT', '/channels/notification/rate', { ratePerSecond: SPEED });
      const good = await trial.mailing();
      await trial.sent(good, SPEED);
      await expectKept(trial, 'while a lane comes and goes', KEPT, {
        alone: () => speed(trial, 2_500),
        beside: async () => {
          const change = addAndRemove(trial, few);
          const perSecond = await speed(trial, 5_000);
          await change;
          return perSecond;
        },
      });
      await trial.done('PUT', '/channels/notification/rate', { ratePerSecond: null });
      await trial.finished(good);
    },
  },
  {
    name: 'hundred-idle-lanes',
    holds: '100 lanes without work cost no connection, ≤ 20 MB in a worker, ≤ 10 MB in beat',
    backends: BOTH,
    secondChannel: true,
    environment: preload('second-channel', 'report-memory'),
    run: async (trial) => {
      await trial.clients(400);
      const { cluster } = trial;
      await trial.finished(await trial.mailing());
      const [worker] = cluster.workers;
      const beat = await cluster.leader();
      if (!worker) throw new Error('no worker runs');
      const before = await cost(trial, worker, beat);
      await trial.sql(
        `INSERT INTO lanes (name, channel) SELECT $1 || '-' || i, $1::text::channel_name
         FROM generate_series(1, $2::int) i`,
        OTHER,
        IDLE_LANES,
      );
      await waitFor(() => Promise.resolve(lanesOf(worker) > IDLE_LANES), {
        timeoutMs: 20_000,
        what: 'the worker has all lanes',
      });
      await trial.finished(await trial.mailing());
      // Connections that the mailing needed for a moment are closed after 10 idle seconds.
      const isQuiet = () => trial.cluster.proxies.postgres.connections <= (before[DATABASE] ?? 0);
      await waitFor(() => Promise.resolve(isQuiet()), {
        timeoutMs: 20_000,
        what: 'connections are as before',
      }).catch(() => undefined);
      const after = await cost(trial, worker, beat);
      for (const [what, allowed] of Object.entries(ALLOWED)) {
        const grown = (after[what] ?? 0) - (before[what] ?? 0);
        trial.expect(grown <= allowed, `${what}: ${grown.toFixed(1)} more, ${allowed} allowed`);
      }
      await trial.sql(`DELETE FROM lanes WHERE name LIKE $1 || '-%'`, OTHER);
      await waitFor(() => Promise.resolve(endsOf(worker) === IDLE_LANES), {
        timeoutMs: 20_000,
        what: 'the worker has let all of them go',
      });
    },
  },
);

/** What a hundred lanes without work may cost. */
const ALLOWED: Record<string, number> = {
  'MB in the worker': 20,
  'MB in beat': 10,
  [DATABASE]: 0,
  'connections to Redis': 0,
  'connections to the second provider': 0,
};

async function cost(
  trial: Trial,
  worker: RunningProcess,
  beat: RunningProcess,
): Promise<Record<string, number>> {
  await sleep(2_000); // what was opened for the latest mailing is idle
  const { postgres, redis } = trial.cluster.proxies;
  return {
    'MB in the worker': await memoryOf(worker),
    'MB in beat': await memoryOf(beat),
    [DATABASE]: postgres.connections,
    'connections to Redis': redis?.connections ?? 0,
    'connections to the second provider': trial.cluster.second?.proxy.connections ?? 0,
  };
}

async function memoryOf(process: RunningProcess): Promise<number> {
  const said = () => process.logs.filter((line) => line.startsWith('memory '));
  const before = said().length;
  process.signal('SIGUSR2');
  await waitFor(() => Promise.resolve(said().length > before), {
    timeoutMs: 10_000,
    what: `${process.name} says what it needs`,
  });
  return Number(said().at(-1)?.split(' ')[1]) / MB;
}

function lanesOf({ logs }: RunningProcess): number {
  return logs.filter((line) => line.includes('"consuming"')).length;
}

function endsOf({ logs }: RunningProcess): number {
  return logs.filter((line) => line.includes('"the lane ends"')).length;
}

async function addOtherLane(trial: Trial): Promise<SecondProvider> {
  const { second } = trial.cluster;
  if (!second) throw new Error('there is no second provider');
  await trial.sql(`INSERT INTO lanes (name, channel) VALUES ($1, $1::text::channel_name)`, OTHER);
  return second;
}

/** A lane is added, used, and removed with messages under way. */
async function addAndRemove(trial: Trial, clients: number[]): Promise<void> {
  const second = await addOtherLane(trial);
  await second.provider.faults({ latency: { distribution: 'fixed', ms: 200 } });
  const since = now();
  const { oks } = await second.provider.totals();
  const moved = await trial.mailing({
    channel: OTHER,
    operatorCodes: ['917'],
    audience: clients,
    ratePerSecond: 20,
  });
  await waitFor(async () => (await second.provider.totals()).oks > oks, {
    timeoutMs: 20_000,
    what: 'the new lane sends',
  });
  const tookMs = now() - since;
  trial.expect(tookMs <= SERVED_MS, `the new lane was served after ${Math.round(tookMs)} ms`);
  await trial.sent(moved, 10);
  await removeOtherLane(trial, moved);
}

/** The lane's row is deleted while its messages are being sent; the rest of its mailing moves to another lane. */
async function removeOtherLane(trial: Trial, mailing: number): Promise<void> {
  await trial.sql(
    `WITH moved AS (
       UPDATE mailings g SET lane_id = l.id, channel = l.channel, updated_at = clock_timestamp()
       FROM lanes l WHERE g.id = $1 AND l.name = 'notification')
     SELECT 1`,
    mailing,
  );
  await trial.sql('DELETE FROM lanes WHERE name = $1', OTHER);
}

async function receives(provider: SecondProvider['provider']): Promise<void> {
  await waitFor(async () => (await provider.totals()).oks > 0, {
    timeoutMs: 20_000,
    what: 'the other lane sends',
  });
}

/** Messages per second that the notification API takes from now on, over so long. */
async function speed(trial: Trial, ms: number): Promise<number> {
  const since = now();
  const { oks } = await trial.provider.totals();
  await sleep(ms);
  const after = await trial.provider.totals();
  return ((after.oks - oks) * 1_000) / (now() - since);
}

/** Keeps closing the other lane's breaker, so that its fault keeps its effect. */
function keepClosed(trial: Trial): { stop: () => Promise<void> } {
  const stop = new AbortController();
  const work = (async () => {
    while (!stop.signal.aborted) {
      await trial.sql(
        `UPDATE lanes SET state = 'closed', generation = generation + 1, reason = NULL, probes = 0,
           opened_at = NULL, probe_at = NULL, paused_until = NULL
         WHERE name = $1 AND (state <> 'closed' OR paused_until IS NOT NULL)`,
        OTHER,
      );
      await sleep(250);
    }
  })();
  return {
    stop: () => {
      stop.abort();
      return work;
    },
  };
}

async function repair({ provider, proxy }: SecondProvider): Promise<void> {
  await proxy.heal();
  await provider.faults({});
}

async function end(trial: Trial, mailings: number[]): Promise<void> {
  for (const id of mailings) await trial.done('POST', `/mailings/${id}/cancel`);
}

/** The same while the other lane has work, whatever becomes of it. */
async function speedBeside(trial: Trial, bad: number, ms: number): Promise<number> {
  await trial.done('POST', `/mailings/${bad}/resume`);
  const closing = keepClosed(trial);
  const perSecond = await speed(trial, ms);
  await closing.stop();
  await trial.done('POST', `/mailings/${bad}/pause`);
  return perSecond;
}

interface Pair {
  alone: () => Promise<number>;
  beside: () => Promise<number>;
}

/**
 * Measures in pairs. Where another process takes the cores for a second, the next pair is not affected;
 * a lane that is held up is slow in all pairs.
 */
async function expectKept(trial: Trial, what: string, least: number, pair: Pair): Promise<void> {
  const seen: string[] = [];
  while (seen.length < MOST_PAIRS) {
    const alone = await pair.alone();
    const beside = await pair.beside();
    if (beside >= least * alone) return;
    seen.push(`${beside.toFixed(0)}/s, alone ${alone.toFixed(0)}/s`);
  }
  trial.expect(false, `${what}: ${seen.join('; ')}`);
}
