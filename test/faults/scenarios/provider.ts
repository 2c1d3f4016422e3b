import { sleep } from '@app/testkit';
import { expectUnaffected, useApi } from '../api-load.js';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

const CONCURRENCY = 16;
const MINUTE_MS = 60_000;
const STEADY = { latency: { distribution: 'fixed', ms: 50 } };

export const providerScenarios = scenarios(
  {
    name: 'provider-refuses-for-a-minute',
    holds: 'at most 5 probes in any 30 s, no try is burnt, and it drains afterwards',
    backends: BOTH,
    concurrency: CONCURRENCY,
    // What was on its way when the connections were cut.
    duplicates: CONCURRENCY,
    answersMayGetLost: true,
    run: async (trial) => {
      const { provider } = trial.proxies;
      await trial.clients(2_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      await provider.refuse();
      const since = now();
      const lane = await trial.breaker('open');
      trial.expect(lane.reason !== null, 'the breaker says why it is open');
      await trial.sleepUntil(since + MINUTE_MS);
      const probes = await attemptsAfter(trial, lane.openedAt + 2_000);
      const most = mostWithin(probes, 30_000);
      trial.expect(probes.length >= 2, `it probes: ${probes.length} times in a minute`);
      trial.expect(most <= 5, `at most 5 probes in 30 s, not ${most}`);
      await provider.heal();
      await trial.resumes('the provider was back', 60_000);
      await trial.finished(mailing);
      await expectTriesCounted(trial);
    },
  },
  {
    name: 'provider-hangs',
    holds: 'the API answers as fast as before, memory stays flat, and it drains afterwards',
    backends: BOTH,
    concurrency: CONCURRENCY,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults(STEADY);
      const before = await useApi(trial, 15);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      await trial.provider.faults({ rules: [{ fault: 'hang' }] });
      const during = await useApi(trial, 30);
      expectUnaffected(trial, 'with a hanging provider', before, during);
      const lane = await trial.breaker('open', 30_000);
      await sleep(5_000);
      await trial.provider.faults({});
      const resumed = trial.resumes('the provider answered again', 60_000);
      trial.expect(lane.reason?.startsWith('timeout') ?? false, `open by timeouts: ${lane.reason}`);
      await resumed;
      await trial.finished(mailing);
    },
  },
  {
    name: 'provider-drips',
    holds: 'an answer of one byte a second frees its slot after 15 s, whatever it says in the end',
    backends: BOTH,
    concurrency: 8,
    duplicates: 6,
    answersMayGetLost: true,
    run: async (trial) => {
      await trial.clients(500);
      await trial.provider.faults({
        ...STEADY,
        rules: [
          { fault: 'drip', times: 3, part: 'head' },
          { fault: 'drip', times: 3 },
        ],
      });
      const mailing = await trial.mailing();
      await trial.finished(mailing);
      const slow = await trial.sql<{ ms: number; code: string }>(
        'SELECT duration_ms AS ms, error_code AS code FROM delivery_attempts',
      );
      trial.expect(slow.length === 6, `six answers were given up, not ${slow.length}`);
      for (const { ms, code } of slow) {
        trial.expect(code === 'timeout', `a dripping answer is given up by time, not by ${code}`);
        trial.expect(ms <= 16_000, `its slot was free after ${ms} ms`);
      }
    },
  },
  {
    name: 'provider-resets',
    holds: 'a reset before the body and one after it are unknown, repeated and marked',
    backends: BOTH,
    concurrency: CONCURRENCY,
    duplicates: 30,
    answersMayGetLost: true,
    run: async (trial) => {
      await trial.clients(1_000);
      await trial.provider.faults({
        ...STEADY,
        rules: [
          { fault: 'reset-before-body', share: 0.05, times: 30 },
          { fault: 'reset-after-body', share: 0.05, times: 30, accepted: true },
        ],
      });
      const mailing = await trial.mailing();
      await trial.finished(mailing);
      const outcomes = await trial.sql<{ outcome: string }>(
        'SELECT DISTINCT outcome::text FROM delivery_attempts',
      );
      const names = outcomes.map(({ outcome }) => outcome).join();
      trial.expect(names === 'unknown', `a reset is unknown, not ${names}`);
      const { sent } = await trial.counters(mailing);
      trial.expect(sent === 1_000, `all are sent in the end: ${sent} of 1000`);
    },
  },
  {
    name: 'provider-answers-garbage',
    holds: 'HTML, nothing, cut and wrong JSON, 100 MB and a gzip bomb are never taken for an OK',
    backends: BOTH,
    short: true,
    concurrency: CONCURRENCY,
    run: async (trial) => {
      await trial.clients(400);
      const { ids, mailing } = await planned(trial);
      const faults = [
        { fault: 'html' },
        { fault: 'empty' },
        { fault: 'truncated-json' },
        { fault: 'truncated-body' },
        { fault: 'wrong-code' },
        { fault: 'wrong-code', code: '0' },
        { fault: 'string-code' },
        { fault: 'array' },
        { fault: 'huge' },
        { fault: 'gzip-bomb' },
        { fault: 'status', status: 201, body: { code: 0, message: 'OK' } },
        { fault: 'status', status: 200, body: 'null' },
      ];
      const bad = faults.map((_, index) => ids.slice(index * 5, index * 5 + 3));
      await trial.provider.faults({
        ...STEADY,
        rules: faults.map((fault, index) => ({ ...fault, firstRequests: 1, ids: bad[index] })),
      });
      await trial.done('PUT', '/channels/notification/breaker', { state: 'closed' });
      await trial.finished(mailing);
      const retried = await trial.sql<{ id: number }>(
        `SELECT id FROM messages WHERE id = ANY ($1) AND status = 'sent' AND attempts = 2`,
        bad.flat(),
      );
      trial.expect(
        retried.length === bad.flat().length,
        `each bad answer costs one try: ${retried.length} of ${bad.flat().length}`,
      );
    },
  },
  {
    name: 'provider-fails-with-5xx',
    holds: 'the waits are 5, 15 and 45 s within 20 %',
    backends: BOTH,
    settleMs: 100_000,
    run: async (trial) => {
      await trial.clients(3);
      const { ids, mailing } = await planned(trial);
      await trial.provider.faults({
        rules: [500, 502, 503].map((status, index) => ({
          fault: 'status',
          status,
          firstRequests: 3,
          ids: ids.slice(index, index + 1),
        })),
      });
      await trial.done('PUT', '/channels/notification/breaker', { state: 'closed' });
      await trial.finished(mailing, 100_000);
      for (const { id, times } of await trial.provider.received()) {
        const waits = times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / 1000);
        const asPlanned =
          waits.length === 3 &&
          // Finding it, queueing it and claiming it again may take two seconds more.
          waits.every(
            (wait, n) =>
              wait >= 0.8 * (SCHEDULE_S[n] ?? 0) && wait <= 1.2 * (SCHEDULE_S[n] ?? 0) + 2,
          );
        trial.expect(
          asPlanned,
          `message ${id} waited ${waits.map((s) => s.toFixed(1)).join(', ')} s`,
        );
      }
    },
  },
);

const SCHEDULE_S = [5, 15, 45];

/** A mailing that is planned and waits behind an open breaker, so that its messages are known. */
export async function planned(trial: Trial): Promise<{ mailing: number; ids: number[] }> {
  await trial.done('PUT', '/channels/notification/breaker', { state: 'open' });
  const mailing = await trial.mailing();
  await trial.until(mailing, 'it is planned', ({ planned: is }) => is);
  const rows = await trial.sql<{ id: number }>(
    'SELECT id FROM messages WHERE mailing_id = $1 ORDER BY id',
    mailing,
  );
  return { mailing, ids: rows.map(({ id }) => id) };
}

async function attemptsAfter(trial: Trial, moment: number): Promise<number[]> {
  const rows = await trial.sql<{ at: Date }>(
    'SELECT at FROM delivery_attempts WHERE at > to_timestamp($1 / 1000.0) ORDER BY at',
    moment,
  );
  return rows.map(({ at }) => at.getTime());
}

function mostWithin(moments: readonly number[], spanMs: number): number {
  return Math.max(
    0,
    ...moments.map((from) => moments.filter((at) => at >= from && at < from + spanMs).length),
  );
}

/** An attempt that the provider never saw is no try. */
export async function expectTriesCounted(trial: Trial): Promise<void> {
  const wrong = await trial.sql<{ id: number }>(
    `SELECT m.id FROM messages m WHERE m.tries <> (m.status = 'sent')::int + (
       SELECT count(*) FROM delivery_attempts a
       WHERE a.message_id = m.id AND a.outcome IN ('unknown', 'retry', 'rejected'))`,
  );
  trial.expect(wrong.length === 0, `${wrong.length} messages count tries that were none`);
}
