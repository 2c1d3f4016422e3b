import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';
import { expectTriesCounted, planned } from './provider.js';

const CONCURRENCY = 16;
const STEADY = { latency: { distribution: 'fixed', ms: 50 } };
const DEEP = `{"code":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;

/** These faults concern the worker and the provider: one queue backend is enough. */
export const foreignByteScenarios = scenarios(
  {
    name: 'provider-answers-deep-json',
    holds:
      'JSON of 5,000 levels is an answer like any other: classified at once, tried again in 5 s',
    backends: BOTH,
    concurrency: CONCURRENCY,
    run: async (trial) => {
      await trial.clients(100);
      const { ids, mailing } = await planned(trial);
      const deep = ids.slice(0, 3);
      await trial.provider.faults({
        ...STEADY,
        rules: [{ fault: 'status', status: 200, body: DEEP, firstRequests: 1, ids: deep }],
      });
      await trial.done('PUT', '/channels/notification/breaker', { state: 'closed' });
      await trial.drains(mailing, 'deep JSON', 20_000);
      await expectOnly(trial, 'retry');
      await expectTriesCounted(trial);
    },
  },
  {
    name: 'provider-answers-with-dashes',
    holds:
      '8 KB of dashes or of token beginnings cost no time: health answers, nothing is sent twice',
    backends: ['postgres'],
    concurrency: 64,
    run: async (trial) => {
      await trial.clients(3_000);
      const { ids, mailing } = await planned(trial);
      const half = ids.slice(0, 1_500);
      const bodies = ['-'.repeat(8_192), 'eyJ-'.repeat(2_048), '7 '.repeat(4_096)];
      await trial.provider.faults({
        ...STEADY,
        rules: bodies.map((body, index) => ({
          fault: 'status',
          status: 422,
          body,
          ids: half.filter((_, at) => at % bodies.length === index),
        })),
      });
      const health = watchHealth(trial);
      await trial.done('PUT', '/channels/notification/breaker', { state: 'closed' });
      await trial.drains(mailing, 'costly answers', 25_000);
      const slowest = await health.stop();
      trial.expect(slowest < 2_000, `health answered within ${Math.round(slowest)} ms`);
      const { sent, failed } = await trial.counters(mailing);
      trial.expect(sent === 1_500 && failed === 1_500, `${sent} are sent, ${failed} failed`);
    },
  },
  {
    name: 'provider-says-continue-first',
    holds: 'answers of status 100 before the OK are read over: each message is taken once',
    backends: BOTH,
    concurrency: CONCURRENCY,
    run: async (trial) => {
      await trial.clients(300);
      await trial.provider.faults({
        ...STEADY,
        rules: [
          { fault: 'continue', share: 0.3, count: 3 },
          { fault: 'continue', share: 0.8 },
        ],
      });
      const mailing = await trial.mailing();
      await trial.drains(mailing, 'its start', 20_000);
      const attempts = await trial.sql('SELECT 1 FROM delivery_attempts');
      trial.expect(attempts.length === 0, `${attempts.length} attempts did not deliver`);
    },
  },
);

/** Attempts that did not deliver have this outcome and no other. */
async function expectOnly(trial: Trial, outcome: string): Promise<void> {
  const rows = await trial.sql<{ outcome: string }>(
    'SELECT DISTINCT outcome::text FROM delivery_attempts',
  );
  const seen = rows.map((row) => row.outcome).join();
  trial.expect(seen === outcome, `only attempts that are ${outcome}, not ${seen}`);
}

/** Asks the worker's `live` all the time. */
function watchHealth(trial: Trial): { stop: () => Promise<number> } {
  const url = `${trial.cluster.workers[0]?.url ?? ''}/health/live`;
  let slowest = 0;
  let stopped = false;
  const watch = async () => {
    while (!stopped) {
      const askedAt = now();
      await fetch(url).then(
        (answer) => answer.text(),
        () => undefined,
      );
      slowest = Math.max(slowest, now() - askedAt);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      stopped = true;
      await watching;
      return slowest;
    },
  };
}
