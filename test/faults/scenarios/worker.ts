import { sleep, waitFor } from '@app/testkit';
import { watchRate } from '../rates.js';
import { BOTH, scenarios } from '../scenario.js';
import { endSessionsOf, waitingFor } from '../sessions.js';
import { now, type Trial } from '../trial.js';

const KILLS = 10;
const CONCURRENCY = 16;

export const workerScenarios = scenarios(
  {
    name: 'worker-killed-ten-times',
    holds: 'what was in flight is delivered within 45 s of the last kill',
    backends: BOTH,
    concurrency: CONCURRENCY,
    duplicates: KILLS * CONCURRENCY,
    run: async (trial) => {
      const { cluster, provider, random } = trial;
      await trial.clients(2_000);
      await provider.faults({ latency: { distribution: 'uniform', minMs: 20, maxMs: 80 } });
      const mailing = await trial.mailing();
      for (let kill = 0; kill < KILLS; kill++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, sent + random.between(20, 120));
        await cluster.kill(worker(trial));
        await cluster.startWorker();
      }
      await trial.drains(mailing, 'the last kill', 45_000);
    },
  },
  {
    name: 'worker-killed-between-ok-and-record',
    holds: 'exactly one message is sent twice, and it is marked',
    backends: BOTH,
    short: true,
    concurrency: 1,
    duplicates: 1,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(20);
      await provider.faults({ latency: { distribution: 'fixed', ms: 300 } });
      const mailing = await trial.mailing();
      await trial.sent(mailing, 3);
      const { accepted } = await provider.totals();
      await waitFor(async () => (await provider.totals()).accepted.requests > accepted.requests, {
        timeoutMs: 10_000,
        what: 'the next message is on its way',
        everyMs: 5,
      });
      const counters = await trial.lock(
        'SELECT 1 FROM mailing_counters WHERE mailing_id = $1 FOR UPDATE',
        mailing,
      );
      const { sent } = await trial.counters(mailing);
      const record = `%UPDATE messages m SET status = 'sent', attempts%`;
      await waitFor(async () => (await waitingFor(trial, 'posthorn-worker', record)) > 0, {
        timeoutMs: 10_000,
        what: 'the record waits for its lock',
      });
      const { oks } = await provider.totals();
      trial.expect(oks === sent + 1, `one OK is not recorded yet: ${oks} OKs, ${sent} sent`);
      await cluster.kill(worker(trial));
      await endSessionsOf(trial, 'posthorn-worker');
      await counters.release();
      await cluster.startWorker();
      await trial.drains(mailing, 'the kill', 50_000);
      const { duplicates } = (await provider.totals()).accepted;
      trial.expect(duplicates === 1, `one message is doubled, not ${duplicates}`);
    },
  },
  {
    name: 'worker-stopped-between-claim-and-send',
    holds: 'stopped for longer than its lease, it sends nothing of what it had claimed',
    backends: BOTH,
    concurrency: CONCURRENCY,
    settleMs: 90_000,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(200);
      // The text is read between the claim and the sending.
      const mailing = await trial.mailing({ startsInMs: 1_500 });
      const texts = await trial.lock('LOCK TABLE mailing_contents IN ACCESS EXCLUSIVE MODE');
      await trial.until(mailing, 'some are claimed', ({ sending }) => sending > 0);
      const stopped = worker(trial);
      cluster.freeze(stopped);
      const { requests } = await provider.totals();
      trial.expect(requests === 0, `nothing was sent before the stop, not ${requests}`);
      await texts.release();
      await cluster.startWorker();
      await trial.until(mailing, 'the leases are swept', ({ sending }) => sending === 0, 50_000);
      cluster.thaw(stopped);
      await trial.finished(mailing, 60_000);
      await stopped.waitForLog((line) => line.includes('gave_up'), 10_000);
      const twice = (await provider.received()).filter((message) => message.requests > 1);
      trial.expect(twice.length === 0, `${twice.length} messages were requested twice`);
    },
  },
  {
    name: 'worker-stopped-after-the-answer',
    holds: 'its late OK is recorded although the lease was swept, and nothing is sent again',
    backends: BOTH,
    concurrency: 8,
    settleMs: 90_000,
    run: async (trial) => {
      const { cluster, provider, proxies } = trial;
      await trial.clients(8);
      await provider.faults({ latency: { distribution: 'fixed', ms: 1_500 } });
      const mailing = await trial.mailing();
      await waitFor(async () => (await provider.totals()).accepted.requests === 8, {
        timeoutMs: 15_000,
        what: 'all messages are on their way',
        everyMs: 10,
      });
      await proxies.postgres.refuse();
      const stopped = worker(trial);
      await waitFor(
        async () =>
          (await provider.totals()).oks === 8 &&
          stopped.logs.some((line) => line.includes('are kept')),
        { timeoutMs: 15_000, what: 'all are confirmed, and the database is down' },
      );
      cluster.freeze(stopped);
      await proxies.postgres.heal();
      await trial.until(mailing, 'the leases are swept', ({ sending }) => sending === 0, 60_000);
      cluster.thaw(stopped);
      await trial.finished(mailing, 30_000);
      const { requests } = await provider.totals();
      trial.expect(requests === 8, `each message was requested once: ${requests} of 8`);
      const { sent } = await trial.counters(mailing);
      trial.expect(sent === 8, `all late OKs are recorded: ${sent} of 8`);
    },
  },
  {
    name: 'workers-replaced-one-by-one',
    holds: 'SIGTERM loses and doubles nothing; each ends with status 0 within 20 s',
    backends: BOTH,
    workers: 3,
    concurrency: 4,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(2_500);
      await provider.faults({ latency: { distribution: 'uniform', minMs: 20, maxMs: 80 } });
      const mailing = await trial.mailing();
      for (const old of [...cluster.workers]) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, Math.min(sent + 100, 2_500));
        await cluster.startWorker();
        const { code, tookMs } = await cluster.stop(old);
        trial.expect(code === 0, `a worker ended with status ${String(code)}`);
        trial.expect(tookMs <= 20_000, `a worker took ${Math.round(tookMs)} ms to end`);
      }
      await trial.finished(mailing);
      const { requests } = await provider.totals();
      trial.expect(requests === 2_500, `each message was requested once: ${requests} of 2500`);
    },
  },
  {
    name: 'everything-stopped-under-load',
    holds: 'SIGTERM to all processes at once: each ends with status 0, nothing is lost or doubled',
    backends: BOTH,
    workers: 2,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(1_500);
      await provider.faults({ latency: { distribution: 'uniform', minMs: 50, maxMs: 150 } });
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      const ends = await cluster.stopApps();
      const bad = ends.filter(({ code, tookMs }) => code !== 0 || tookMs > 20_000);
      trial.expect(bad.length === 0, `${bad.map(({ name }) => name).join()} did not end well`);
      const { sending } = await trial.counters(mailing);
      trial.expect(sending === 0, `nothing is left in flight: ${sending}`);
      await Promise.all([cluster.startApi(), cluster.startWorker(), cluster.startBeat()]);
      await trial.finished(mailing);
      const { requests } = await provider.totals();
      trial.expect(requests === 1_500, `each message was requested once: ${requests} of 1500`);
    },
  },
  {
    name: 'rate-held-by-three-workers',
    holds: 'no second sees more than the rate and one, after a pause and after a change either',
    backends: BOTH,
    workers: 3,
    run: async (trial) => {
      await trial.clients(400);
      const limited = async (rate: number) => {
        await trial.done('PUT', '/channels/notification/rate', { ratePerSecond: rate });
        return watchRate(trial, rate, now() + 1_000);
      };
      const check = await limited(50);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 150);
      await trial.done('POST', `/mailings/${mailing}/pause`);
      await sleep(5_000);
      await trial.done('POST', `/mailings/${mailing}/resume`);
      await trial.sent(mailing, 250);
      await check();
      const checkFaster = await limited(20);
      await trial.finished(mailing);
      await checkFaster();
    },
  },
);

function worker({ cluster }: Trial) {
  const [first] = cluster.workers;
  if (!first) throw new Error('there is no worker');
  return first;
}
