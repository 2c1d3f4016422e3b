import { waitFor } from '@app/testkit';
import { BOTH, scenarios } from '../scenario.js';
import { waitingFor } from '../sessions.js';
import { now, type Trial } from '../trial.js';

const MANY = 8_000;
/** Of a database that has become slow. */
const MS_PER_ROW = 2;
const SMALL_LIMIT_MS = 3_000;
const END_SEEN_MS = 1_000;
const STOP_LIMIT_MS = 20_000;
const FAILED_TO_PLAN = /posthorn_task_failures_total\{task="plan"\} [1-9]/;

export const taskScenarios = scenarios(
  {
    name: 'one-mailing-fails-in-every-task',
    holds: 'impossible dates and rows that cannot be written stop one mailing, and health says so',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      await trial.clients(200);
      const ancient = await trial.mailing({ startsInMs: 3_000 });
      const broken = await trial.mailing({ startsInMs: 3_000 });
      await trial.sql(
        `UPDATE mailings SET start_at = '0001-01-01 00:00:00+03', end_at = '9999-12-31 23:59:59-03'
         WHERE id = $1`,
        ancient,
      );
      await refuseRows(trial, broken);
      await waitFor(async () => FAILED_TO_PLAN.test(await metricsOf(trial)), {
        timeoutMs: 20_000,
        what: 'the failure of planning is counted',
      });
      const others = [await trial.mailing(), await trial.mailing({ endsInMs: 4_000 })];
      for (const id of [...others, ancient]) await doneDespite(trial, id);
      await trial.sql('DROP FUNCTION refuse_rows CASCADE');
      await trial.finished(broken);
    },
  },
  {
    name: 'database-becomes-slow',
    holds: 'while 500 rows/s can be stored a small mailing leaves in 3 s and ends are seen in 1 s',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(MANY);
      const [small] = await trial.clients(1, { operatorCode: '999' });
      const ending = await pausedMailing(trial, small ?? 0, 10_000);
      await slowRows(trial, 'INSERT', 'true');
      const large = await trial.mailing({ operatorCodes: ['916'], audience: await code(trial) });
      await trial.until(large, 'planning has begun', ({ total }) => total > 0);
      for (let time = 0; time < 3; time++) {
        await leavesWithin(trial, small ?? 0, SMALL_LIMIT_MS);
      }
      await endSeen(trial, ending);
      const { planned, total } = await trial.counters(large);
      trial.expect(!planned, 'the large mailing is still being planned');
      trial.expect(total >= 1_000, `planning goes on meanwhile: ${total} rows`);
      await trial.sql('DROP FUNCTION slow_rows CASCADE');
      await trial.until(large, 'it is planned', (counters) => counters.planned);
      await slowRows(trial, 'UPDATE', `NEW.status = 'cancelled'`);
      await trial.done('POST', `/mailings/${large}/cancel`);
      await trial.stopped(large);
      trial.changed(large, { status: 'cancelled' });
      await leavesWithin(trial, small ?? 0, SMALL_LIMIT_MS);
      await trial.sql('DROP FUNCTION slow_rows CASCADE');
      await trial.finished(large);
    },
  },
  {
    name: 'stopped-while-statements-wait',
    holds: 'SIGTERM ends api, beat and worker with status 0 within 20 s, and frees what they held',
    backends: BOTH,
    duplicates: 32,
    run: async (trial) => {
      const { cluster, provider } = trial;
      await trial.clients(600);
      await provider.faults({ latency: { distribution: 'fixed', ms: 50 } });
      const held = await trial.mailing({ startsInMs: 86_000_000, audience: [] });
      const mailing = await trial.mailing();
      await trial.sent(mailing, 50);
      const counters = await trial.lock('LOCK TABLE mailing_counters IN EXCLUSIVE MODE');
      const row = await trial.lock('SELECT 1 FROM mailings WHERE id = $1 FOR UPDATE', held);
      const call = trial.call('POST', `/mailings/${held}/cancel`).catch(() => undefined);
      await waits(trial, 'api');
      await waits(trial, 'posthorn-worker');
      const [beat] = cluster.beats;
      const [worker] = cluster.workers;
      if (!beat || !worker) throw new Error('there is no beat or no worker');
      const ends = await Promise.all([beat, worker, cluster.api].map((one) => cluster.stop(one)));
      for (const { name, code, signal, tookMs } of ends) {
        trial.expect(code === 0, `${name} ends with 0, not ${signal ?? String(code)}`);
        trial.expect(
          tookMs <= STOP_LIMIT_MS,
          `${name} ends within 20 s, not ${Math.round(tookMs)} ms`,
        );
      }
      const left = await trial.sql(
        `SELECT application_name FROM pg_stat_activity WHERE datname = current_database()
           AND wait_event_type = 'Lock' AND application_name <> 'suite'`,
      );
      trial.expect(left.length === 0, `no statement is left behind: ${JSON.stringify(left)}`);
      await call;
      await Promise.all([counters.release(), row.release()]);
      await Promise.all([cluster.startApi(), cluster.startBeat(), cluster.startWorker()]);
      await trial.drains(mailing, 'the start of new processes', 60_000);
      await trial.done('POST', `/mailings/${held}/cancel`);
      trial.changed(held, { status: 'cancelled' });
    },
  },
);

/** No message of this mailing can be stored. */
async function refuseRows(trial: Trial, mailing: number): Promise<void> {
  await trial.sql(`
    CREATE FUNCTION refuse_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'refused by the suite'; END $$`);
  await trial.sql(`
    CREATE TRIGGER refuse_rows BEFORE INSERT ON messages FOR EACH ROW
    WHEN (NEW.mailing_id = ${mailing}) EXECUTE FUNCTION refuse_rows()`);
}

/** Each row takes a while, as on a disk that others keep busy. */
async function slowRows(trial: Trial, change: string, when: string): Promise<void> {
  await trial.sql(`
    CREATE FUNCTION slow_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(${MS_PER_ROW / 1_000}); RETURN NEW; END $$`);
  await trial.sql(`
    CREATE TRIGGER slow_rows BEFORE ${change} ON messages FOR EACH ROW
    WHEN (${when}) EXECUTE FUNCTION slow_rows()`);
}

const code = async (trial: Trial) =>
  (await trial.sql<{ id: number }>(`SELECT id FROM clients WHERE operator_code = '916'`)).map(
    ({ id }) => id,
  );

async function doneDespite(trial: Trial, mailing: number): Promise<void> {
  const rows = () =>
    trial.sql('SELECT 1 FROM mailings WHERE id = $1 AND finished_at IS NOT NULL', mailing);
  await waitFor(async () => (await rows()).length === 1, {
    timeoutMs: 20_000,
    what: `the others finish: mailing ${mailing} has`,
  });
}

async function metricsOf(trial: Trial): Promise<string> {
  const leader = await trial.cluster.leader();
  return (await fetch(`${leader.url}/metrics`)).text();
}

/** From the call to the answer of the provider. */
async function leavesWithin(trial: Trial, client: number, limitMs: number): Promise<void> {
  const begun = now();
  const id = await trial.mailing({ operatorCodes: ['999'], audience: [client] });
  await trial.sent(id, 1, 30_000);
  const tookMs = Math.round(now() - begun);
  trial.expect(tookMs <= limitMs, `a mailing of one leaves within ${limitMs} ms, not ${tookMs}`);
}

/** Its end finds one message to expire. */
async function pausedMailing(trial: Trial, client: number, endsInMs: number): Promise<number> {
  const options = { operatorCodes: ['999'], audience: [client], ratePerSecond: 0.01, endsInMs };
  const id = await trial.mailing(options);
  await trial.until(id, 'it is planned', ({ planned }) => planned);
  await trial.done('POST', `/mailings/${id}/pause`);
  return id;
}

async function endSeen(trial: Trial, mailing: number): Promise<void> {
  await trial.finished(mailing);
  const [row] = await trial.sql<{ ms: number }>(
    'SELECT extract(epoch FROM ended_at - end_at)::float8 * 1000 AS ms FROM mailings WHERE id = $1',
    mailing,
  );
  const late = Math.round(row?.ms ?? Infinity);
  trial.expect(late <= END_SEEN_MS, `the end is seen within ${END_SEEN_MS} ms, not ${late}`);
}

async function waits(trial: Trial, application: string): Promise<void> {
  await waitFor(async () => (await waitingFor(trial, application, '%')) > 0, {
    timeoutMs: 20_000,
    what: `a statement of ${application} waits`,
  });
}
