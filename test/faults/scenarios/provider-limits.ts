import { PROVIDER_TOKEN, waitFor } from '@app/testkit';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';
import { expectTriesCounted } from './provider.js';

const HOUR_MS = 3_600_000;
const ON_ITS_WAY_MS = 300;
const NEW_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJuZXciLCJleHAiOjQxMDI0NDQ4MDB9.bmV3dG9rZW4';

export const providerLimitScenarios = scenarios(
  {
    name: 'provider-asks-to-slow-down',
    holds:
      '429 with seconds, a date, absurd and negative values: the lane waits 1 s to 1 h, no try',
    backends: BOTH,
    concurrency: 4,
    run: async (trial) => {
      await trial.clients(300);
      await trial.provider.faults({ latency: { distribution: 'fixed', ms: 60 } });
      const mailing = await trial.mailing();
      await trial.sent(mailing, 10);
      // What is asked for, and the least and the most that the lane may wait then, seconds.
      const requests: [unknown, number, number][] = [
        [3, 2.9, 8],
        [{ dateInSeconds: 4 }, 2.9, 9],
        [-5, 0.9, 8],
        [0, 0.9, 8],
        ['soon', 0.9, 8],
      ];
      for (const [retryAfter, least, most] of requests) {
        await trial.sent(mailing, (await trial.counters(mailing)).sent + 5);
        const waited = await pauseOf(trial, retryAfter);
        trial.expect(
          waited >= least && waited <= most,
          `Retry-After ${JSON.stringify(retryAfter)} stops the lane for ${waited.toFixed(1)} s`,
        );
      }
      await slowDown(trial, 1e15);
      const pausedFor = await waitFor(
        async () => {
          const { pausedUntil } = await trial.lane();
          return pausedUntil !== null && pausedUntil - now() > HOUR_MS / 2 && pausedUntil - now();
        },
        { timeoutMs: 20_000, what: 'the lane waits for long' },
      );
      await trial.until(mailing, 'nothing is on its way', ({ sending }) => sending === 0);
      trial.expect(pausedFor <= HOUR_MS + 1_000, `it waits an hour at most, not ${pausedFor} ms`);
      // An hour is too long for a test; a 429 may cost nothing but the wait.
      await trial.provider.faults({});
      await trial.sql(`UPDATE lanes SET paused_until = NULL`);
      await trial.sql(`UPDATE messages SET not_before = '-infinity' WHERE status = 'pending'`);
      await trial.finished(mailing);
      await expectTriesCounted(trial);
      const { sent } = await trial.counters(mailing);
      trial.expect(sent === 300, `nobody failed: ${sent} of 300 are sent`);
    },
  },
  {
    name: 'provider-token-replaced-over-http',
    holds: '401 opens the breaker and fails nobody; a new token through the API lets it resume',
    backends: BOTH,
    run: async (trial) => {
      const mailing = await untilRefused(trial);
      await trial.done('PUT', '/channels/notification/token', { token: NEW_TOKEN });
      await trial.resumes('the token was replaced', 30_000);
      await trial.finished(mailing);
      await expectNobodyFailed(trial, mailing);
    },
  },
  {
    name: 'provider-token-replaced-by-restart',
    holds: '401 opens the breaker and fails nobody; a worker with the new token lets it resume',
    backends: BOTH,
    run: async (trial) => {
      const mailing = await untilRefused(trial);
      const [old] = trial.cluster.workers;
      if (old) await trial.cluster.stop(old);
      await trial.cluster.startWorker({ NOTIFICATION_API_TOKEN: NEW_TOKEN });
      await trial.resumes('a worker with the new token was started', 60_000);
      await trial.finished(mailing);
      await expectNobodyFailed(trial, mailing);
    },
  },
);

/** A mailing in whose middle the provider stops accepting our token. */
async function untilRefused(trial: Trial): Promise<number> {
  trial.secrets.push(NEW_TOKEN);
  await trial.clients(500);
  await trial.provider.faults({ latency: { distribution: 'fixed', ms: 60 } });
  const mailing = await trial.mailing();
  await trial.sent(mailing, 50);
  await trial.provider.faults({ token: { accept: NEW_TOKEN } });
  const { reason } = await trial.breaker('open', 5_000);
  trial.expect(reason?.startsWith('http_401') ?? false, `the breaker says 401: ${String(reason)}`);
  trial.expect(!(reason ?? '').includes(PROVIDER_TOKEN), 'it does not say the token');
  return mailing;
}

async function expectNobodyFailed(trial: Trial, mailing: number): Promise<void> {
  const { sent, total } = await trial.counters(mailing);
  trial.expect(sent === total, `nobody failed: ${sent} of ${total} are sent`);
  await expectTriesCounted(trial);
}

/** The next four requests get a 429. */
async function slowDown(trial: Trial, retryAfter: unknown): Promise<void> {
  await trial.provider.faults({
    latency: { distribution: 'fixed', ms: 60 },
    rules: [{ fault: 'status', status: 429, retryAfter, times: 4 }],
  });
}

/** @returns how long nothing was sent after a 429, seconds. */
async function pauseOf(trial: Trial, retryAfter: unknown): Promise<number> {
  await slowDown(trial, retryAfter);
  await waitFor(async () => (await trial.lane()).pausedUntil !== null, {
    timeoutMs: 20_000,
    what: 'the lane waits',
    everyMs: 10,
  });
  const since = now();
  // What had been claimed before the answer may still leave: that is no cancelTimer.
  const next = async () => {
    const later = (await trial.provider.timeline()).filter((at) => at > since + ON_ITS_WAY_MS);
    return later.length > 0 && Math.min(...later);
  };
  return ((await waitFor(next, { timeoutMs: 20_000, what: 'sending goes on' })) - since) / 1000;
}
