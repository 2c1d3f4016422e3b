import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { type RunningProcess, sleep, waitFor } from '@app/testkit';
import { isInstalled, preload } from '../preload.js';
import { BOTH, scenarios } from '../scenario.js';
import { expectTriesCounted } from './provider.js';

const CONCURRENCY = 16;
const STEADY = { latency: { distribution: 'fixed', ms: 50 } };

/** Faults of the machine or its administrator: one process, one disk, one row. */
export const hostScenarios = scenarios(
  {
    name: 'worker-out-of-descriptors',
    holds:
      'one of two workers can connect to nothing: the breaker stays closed, the other sends all',
    backends: isInstalled('prlimit') ? BOTH : [],
    workers: 2,
    concurrency: CONCURRENCY,
    run: async (trial) => {
      const [limited] = trial.cluster.workers;
      if (!limited) throw new Error('there is no worker');
      await trial.clients(1_000);
      await trial.provider.faults(STEADY);
      limitDescriptors(limited, descriptorsOf(limited));
      const mailing = await trial.mailing();
      await trial.drains(mailing, 'one worker ran out of descriptors', 15_000);
      const { state, reason } = await trial.lane();
      trial.expect(state === 'closed', `the breaker is closed, not ${state} (${reason})`);
      await expectTriesCounted(trial);
      await limited.waitForLog((line) => line.includes('takes no work for a while'));

      limitDescriptors(limited, 1_024);
      const { sent } = await trial.counters(mailing);
      trial.expect(sent === 1_000, `all are sent: ${sent}`);
      const more = await trial.clients(300, { operatorCode: '917' });
      // Longer than its pause, so that it is there to take some.
      await trial.finished(
        await trial.mailing({ operatorCodes: ['917'], audience: more, ratePerSecond: 15 }),
      );
      trial.expect((await delivered(limited)) > 0, 'with room again, it sends again');
    },
  },
  {
    name: 'log-disk-full',
    holds:
      'with stdout on a full disk every process works on, counts the lost lines, and ends with 0',
    backends: BOTH,
    concurrency: CONCURRENCY,
    environment: preload('full-log'),
    run: async (trial) => {
      const { cluster } = trial;
      await trial.clients(400);
      await trial.provider.faults({
        ...STEADY,
        rules: [{ fault: 'status', status: 503, firstRequests: 1, share: 0.1 }],
      });
      const victims = [cluster.api, ...cluster.workers, ...cluster.beats];
      for (const victim of victims) victim.signal('SIGUSR2');
      const mailing = await trial.mailing();
      await trial.drains(mailing, 'the disk of the log was full', 30_000);
      for (const worker of cluster.workers) {
        const lost = await metricOf(worker, 'posthorn_log_lines_dropped_total');
        trial.expect(lost > 10, `${lost} lost lines are counted`);
      }
    },
  },
  {
    name: 'outcomes-refused',
    // Those in flight when it begins, and as many as show that the mailing is the reason.
    refusedOutcomes: CONCURRENCY + 16,
    holds:
      'the database refuses all outcomes of one mailing: the other goes on, nothing is sent twice',
    backends: BOTH,
    concurrency: CONCURRENCY,
    run: async (trial) => {
      const [first, second] = [
        await trial.clients(300, { operatorCode: '916' }),
        await trial.clients(300, { operatorCode: '917' }),
      ];
      await trial.provider.faults(STEADY);
      const refused = await trial.mailing({ operatorCodes: ['916'], audience: first });
      await trial.sent(refused, 30);
      await trial.sql(
        `ALTER TABLE mailing_counters ADD CONSTRAINT refused CHECK (mailing_id <> ${refused} OR sent <= 60) NOT VALID`,
      );
      const [worker] = trial.cluster.workers;
      if (!worker) throw new Error('there is no worker');
      const other = await trial.mailing({ operatorCodes: ['917'], audience: second });
      await trial.drains(other, 'the outcomes of another one were refused', 15_000);
      const waiting = () => metricOf(worker, 'posthorn_oldest_unrecorded_outcome_age_seconds');
      trial.expect((await waiting()) > 0, 'the age of the oldest unrecorded outcome is a metric');
      await trial.sql('ALTER TABLE mailing_counters DROP CONSTRAINT refused');
      await trial.drains(refused, 'the database took its outcomes again', 30_000);
      trial.expect((await waiting()) === 0, 'no outcome is left unrecorded');
    },
  },
);

/** No new session to the database can be opened either. */
function limitDescriptors({ pid }: RunningProcess, most: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:${Math.max(most, 4_096)}`]);
}

function descriptorsOf({ pid }: RunningProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function delivered(worker: RunningProcess): Promise<number> {
  return metricOf(
    worker,
    'posthorn_channel_outcomes_total{lane="notification",outcome="delivered"}',
  );
}

async function metricOf({ url }: RunningProcess, name: string): Promise<number> {
  const text = await waitFor(
    () =>
      fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) }).then(
        (answer) => answer.text(),
        async () => {
          await sleep(100);
          return undefined;
        },
      ),
    { timeoutMs: 10_000, what: `${url} tells its metrics` },
  );
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}
