import { execFileSync } from 'node:child_process';
import { type Environment, sleep } from '@app/testkit';
import { isInstalled, preload } from '../preload.js';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

const SLOW = { latency: { distribution: 'fixed', ms: 100 } };
const CONCURRENCY = 16;
const BLOCK_MS = 40_000;

export const timeScenarios = scenarios(
  {
    name: 'end-passes-while-sending',
    holds: 'nothing leaves although beat stands still; then the status flips and the rest expires',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(3_000);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing({ endsInMs: 6_000 });
      // Beat is stopped beyond the end: that nothing is sent after it depends on the claims alone.
      const beat = await cluster.leader();
      await sleep(5_700);
      cluster.freeze(beat);
      await sleep(1_000);
      cluster.thaw(beat);
      await trial.finished(mailing);
      await expectPromptEnd(trial, mailing);
      const { sent, expired } = await trial.counters(mailing);
      trial.expect(sent > 0 && expired > 0, `in its middle: ${sent} sent, ${expired} expired`);
    },
  },
  {
    name: 'end-passes-during-backoff',
    holds: 'what waits for its next try expires, or is unknown where an attempt was not confirmed',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(400);
      await trial.provider.faults({
        rules: [
          { fault: 'status', status: 503, share: 0.15 },
          { fault: 'reset-after-body', share: 0.1, accepted: true },
        ],
      });
      const mailing = await trial.mailing({ endsInMs: 4_500 });
      await trial.finished(mailing);
      await expectPromptEnd(trial, mailing);
      const { expired, unknown, sent } = await trial.counters(mailing);
      trial.expect(
        expired > 0 && unknown > 0 && expired + unknown + sent === 400,
        `${sent} sent, ${expired} expired, ${unknown} unknown`,
      );
    },
  },
  {
    name: 'window-closes-while-sending',
    holds: 'nothing leaves outside of the hours of each client, by his own clock',
    backends: BOTH,
    settleMs: 120_000,
    run: async (trial) => {
      await trial.clients(1_500, { timezone: 'Europe/Moscow' });
      const far = await trial.clients(100, { timezone: 'Asia/Vladivostok' });
      await trial.provider.faults(SLOW);
      // The window closes with a minute, at least ten seconds from now; the mailing ends later.
      const closesAt = Math.ceil((now() + 10_000) / 60_000) * 60_000;
      const mailing = await trial.mailing({
        window: { from: moscow(closesAt - 3_600_000), to: moscow(closesAt), timezone: 'client' },
        ratePerSecond: 15,
        endsInMs: closesAt - now() + 12_000,
      });
      await trial.finished(mailing, 120_000);
      const { sent, expired } = await trial.counters(mailing);
      trial.expect(sent > 0 && expired > far.length, `${sent} sent, ${expired} expired`);
    },
  },
  {
    name: 'worker-clocks-an-hour-off',
    holds: 'one worker an hour ahead and one behind: ends are kept and nothing gets stuck',
    backends: BOTH,
    concurrency: CONCURRENCY,
    duplicates: CONCURRENCY,
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(2_000);
      await trial.provider.faults(SLOW);
      const [right] = cluster.workers;
      if (right) await cluster.stop(right);
      const ahead = await startWithClock(trial, 1);
      await startWithClock(trial, -1);
      const ending = await trial.mailing({ endsInMs: 5_000 });
      await trial.finished(ending);
      await expectPromptEnd(trial, ending);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      await cluster.kill(ahead);
      await trial.drains(mailing, 'the worker whose clock is ahead was killed', 60_000);
    },
  },
  {
    name: 'worker-blocked-for-forty-seconds',
    holds: 'what it held is taken over, and what it wakes up with is kept out by the fence',
    backends: BOTH,
    concurrency: CONCURRENCY,
    duplicates: CONCURRENCY,
    settleMs: 90_000,
    environment: preload('block-event-loop'),
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(1_200);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      const [blocked] = cluster.workers;
      blocked?.signal('SIGUSR2');
      const since = now();
      await cluster.startWorker();
      await trial.drains(mailing, 'the event loop was blocked', 60_000, since);
      await trial.sleepUntil(since + BLOCK_MS + 3_000);
    },
  },
  {
    name: 'messages-locked-for-twenty-seconds',
    holds: 'every session of every pool waits; it goes on within 30 s of the release',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      const table = await trial.lock('LOCK TABLE messages IN ACCESS EXCLUSIVE MODE');
      const reads = Array.from({ length: 20 }, () =>
        trial.call('GET', `/mailings/${mailing}/messages`).catch(() => null),
      );
      await sleep(20_000);
      const resumed = trial.resumes('the lock was released', 30_000);
      await table.release();
      await resumed;
      await Promise.all(reads);
      await trial.finished(mailing);
    },
  },
);

async function expectPromptEnd(trial: Trial, mailing: number): Promise<void> {
  const [row] = await trial.sql<{ ended: number; finished: number }>(
    `SELECT extract(epoch FROM ended_at - end_at)::float8 AS ended,
       extract(epoch FROM finished_at - end_at)::float8 AS finished FROM mailings WHERE id = $1`,
    mailing,
  );
  const { ended, finished } = row ?? { ended: NaN, finished: NaN };
  // It is looked for every half a second; the rest is what a busy machine may add.
  trial.expect(
    ended >= 0 && ended <= 2.5,
    `the status flipped ${ended.toFixed(2)} s after the end`,
  );
  trial.expect(finished <= 5, `all was over ${finished.toFixed(2)} s after the end`);
}

/** What the command would set: it stays in front of its child, and a signal would only reach it. */
function fakeTime(offset: string): Environment {
  const variables = execFileSync('faketime', ['-f', offset, 'env'], { encoding: 'utf8' });
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(variables)?.[1];
  return {
    LD_PRELOAD: value('LD_PRELOAD'),
    FAKETIME: value('FAKETIME'),
    // Only the wall clock is wrong: time itself passes the same for every process.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

/** A worker whose clock is so many hours off, as its log shows. */
async function startWithClock(trial: Trial, hours: number) {
  const started = await trial.cluster.startWorker(
    isInstalled('faketime')
      ? fakeTime(`${hours > 0 ? '+' : ''}${hours}h`)
      : { ...preload('shift-clock'), FAULTS_CLOCK_HOURS: String(hours) },
  );
  const line = started.logs.find((text) => text.includes('"started"')) ?? '{}';
  const { time } = JSON.parse(line) as { time?: string };
  const shown = (Date.parse(time ?? '') - now()) / 3_600_000;
  trial.expect(Math.abs(shown - hours) < 0.1, `its clock is ${shown.toFixed(2)} h off`);
  return started;
}

function moscow(at: number): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Moscow',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);
}
