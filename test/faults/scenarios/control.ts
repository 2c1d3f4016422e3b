import { sleep, waitFor } from '@app/testkit';
import { watchRate } from '../rates.js';
import { BOTH, scenarios } from '../scenario.js';
import { waitingFor } from '../sessions.js';
import { type Lock, now, type Trial } from '../trial.js';

const SLOW = { latency: { distribution: 'fixed', ms: 100 } };

export const controlScenarios = scenarios(
  {
    name: 'pause-while-rows-are-locked',
    holds: 'a pause is not answered while a claim that saw the old state runs; then nothing leaves',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 50);
      // Rows that somebody holds: claims skip them, and nothing waits for them.
      const rows = await trial.lock(
        `SELECT 1 FROM messages WHERE id IN (
           SELECT id FROM messages WHERE mailing_id = $1 AND status = 'pending' ORDER BY id DESC LIMIT 100)
         FOR UPDATE`,
        mailing,
      );
      await pauseAndWatch(trial, mailing);
      await rows.release();
      const counters = await holdAClaim(trial, mailing);
      let answered = false;
      const paused = trial.done('POST', `/mailings/${mailing}/pause`).then(async () => {
        answered = true;
        await trial.stopped(mailing);
      });
      await waitFor(async () => (await statusOf(trial, mailing)) === 'paused', {
        timeoutMs: 5_000,
        what: 'the pause is committed',
      });
      await sleep(500);
      trial.expect(!answered, 'the pause waits for the claim that saw the mailing running');
      await counters.release();
      await paused;
      await sleep(1_500);
      endStop(trial, now());
      await trial.done('POST', `/mailings/${mailing}/resume`);
      await trial.finished(mailing);
    },
  },
  {
    name: 'edited-while-sending',
    holds: 'what is not claimed when the API answers gets the new text, rate and end',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing({ text: 'old' });
      await trial.sent(mailing, 100);
      await trial.done('PATCH', `/mailings/${mailing}`, { text: 'new', name: 'Renamed' });
      const claimed = await claimedNow(trial, mailing);
      await trial.sent(mailing, 250);
      await trial.done('PATCH', `/mailings/${mailing}`, { ratePerSecond: 40 });
      const checkRate = watchRate(trial, 40, now() + 700);
      const endAt = new Date(now() + 4_000).toISOString();
      await trial.done('PATCH', `/mailings/${mailing}`, { endAt });
      trial.changed(mailing, { name: 'Renamed', text: 'new', endAt: Date.parse(endAt) });
      await trial.finished(mailing);
      const received = await trial.provider.received();
      const late = received.filter(({ id, text }) => text !== 'new' && !claimed.has(id));
      trial.expect(late.length === 0, `${late.length} messages got the old text after the edit`);
      trial.expect(
        received.some(({ text }) => text === 'new'),
        'some got the new text',
      );
      await checkRate();
      const { expired, sent } = await trial.counters(mailing);
      trial.expect(expired > 0 && sent > 250, `the new end counts: ${expired} expired`);
    },
  },
  {
    name: 'cancelled-while-sending',
    holds: 'what is not claimed when the API answers is cancelled',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      await trial.done('POST', `/mailings/${mailing}/cancel`);
      await trial.stopped(mailing);
      trial.changed(mailing, { status: 'cancelled' });
      await trial.finished(mailing);
      const { cancelled, sent } = await trial.counters(mailing);
      trial.expect(
        cancelled + sent === 1_500 && cancelled > 1_000,
        `the rest is cancelled: ${cancelled}, sent ${sent}`,
      );
    },
  },
  {
    name: 'deleted-while-sending',
    holds:
      'it is hidden at once from every reader, nothing of it is sent any more, and it is purged',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(1_500);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      const rows = await trial.sql<{ id: number }>('SELECT id FROM messages');
      await trial.done('DELETE', `/mailings/${mailing}`);
      trial.acknowledged.push({
        what: 'sending stopped',
        mailingId: mailing,
        // What was claimed is on its way, and its rows are being purged.
        at: now() + 1_000,
        claimed: new Set(),
        messages: new Set(rows.map(({ id }) => id)),
      });
      trial.forget(mailing);
      trial.acknowledged.push({ what: 'mailing deleted', mailingId: mailing });
      const { status } = await trial.call('GET', `/mailings/${mailing}`);
      trial.expect(status === 404, `a deleted mailing is not found, and not ${status}`);
      await sleep(2_000);
    },
  },
  {
    name: 'clients-deleted-while-sending',
    holds: 'a client who is deleted before his message is claimed gets none',
    backends: BOTH,
    run: async (trial) => {
      const clients = await trial.clients(1_500);
      await trial.provider.faults(SLOW);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 50);
      const leaving = clients.slice(-60);
      for (const id of leaving) await trial.done('DELETE', `/clients/${id}`);
      await trial.finished(mailing);
      const left = await trial.sql<{ id: number; status: string }>(
        'SELECT id, status FROM messages WHERE client_id = ANY ($1)',
        leaving,
      );
      const wrong = left.filter(({ status }) => status !== 'cancelled');
      trial.expect(left.length === 60 && wrong.length === 0, `${wrong.length} were not cancelled`);
      const ids = new Set(left.map(({ id }) => id));
      const sent = (await trial.provider.received()).filter(({ id }) => ids.has(id));
      trial.expect(sent.length === 0, `${sent.length} were sent all the same`);
    },
  },
  {
    name: 'failed-are-retried',
    holds: 'retry-failed sends again what failed, as often as it is asked to, and numbers on',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      await trial.clients(60);
      await trial.provider.faults({
        rules: [{ fault: 'status', status: 400, firstRequests: 2, share: 1 }],
      });
      const mailing = await trial.mailing();
      await trial.finished(mailing);
      for (const [round, failing] of [60, 60].entries()) {
        const { failed } = await trial.counters(mailing);
        trial.expect(failed === failing, `round ${round}: ${failed} of ${failing} failed`);
        await trial.done('POST', `/mailings/${mailing}/retry-failed`);
        await trial.finished(mailing);
      }
      const { sent } = await trial.counters(mailing);
      trial.expect(sent === 60, `all are sent in the end: ${sent} of 60`);
    },
  },
  {
    name: 'api-killed-right-after-201',
    holds: 'what was answered with 201 is delivered; what was not answered is whole or not there',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      const { cluster } = trial;
      const clients = await trial.clients(40);
      for (let time = 0; time < 3; time++) {
        let answers = 0;
        const calls = Array.from({ length: 12 }, async () => {
          const { status, body } = await trial.call<{ id: number }>(
            'POST',
            '/mailings',
            trial.mailingBody(),
          );
          if (status !== 201) return;
          trial.created(body.id, clients);
          if (++answers === 4) await cluster.kill(cluster.api);
        });
        await Promise.allSettled(calls);
        trial.expect(answers >= 4, `the API answered ${answers} times before it was killed`);
        await cluster.startApi();
      }
      const half = await trial.sql(
        `SELECT 1 FROM mailings g LEFT JOIN mailing_counters k ON k.mailing_id = g.id
         LEFT JOIN mailing_contents t ON t.mailing_id = g.id
         WHERE k.mailing_id IS NULL OR t.mailing_id IS NULL`,
      );
      trial.expect(half.length === 0, `${half.length} mailings are there by half`);
    },
  },
);

/** Pauses, checks that nothing is sent that was not claimed, and resumes. */
async function pauseAndWatch(trial: Trial, mailing: number): Promise<void> {
  const { tookMs } = await trial.call('POST', `/mailings/${mailing}/pause`);
  await trial.stopped(mailing);
  trial.expect(tookMs < 3_000, `locked rows hold up no pause: ${Math.round(tookMs)} ms`);
  await sleep(1_000);
  endStop(trial, now());
  await trial.done('POST', `/mailings/${mailing}/resume`);
}

/**
 * Holds the counters of a mailing while a claim waits behind them in its middle. Where all that the
 * worker has in hand waits to be recorded instead, no claim comes: it releases them, and tries again.
 */
async function holdAClaim(trial: Trial, mailing: number): Promise<Lock> {
  const tries = 10;
  for (let n = 1; ; n++) {
    const { sent } = await trial.counters(mailing);
    await trial.sent(mailing, sent + 20);
    const counters = await trial.lock(
      'SELECT 1 FROM mailing_counters WHERE mailing_id = $1 FOR UPDATE',
      mailing,
    );
    try {
      await waitFor(
        async () => (await waitingFor(trial, 'posthorn-worker', '%FROM claim_messages(%')) > 0,
        { timeoutMs: 2_000, what: 'a claim waits for the counters' },
      );
      return counters;
    } catch (error) {
      if (n === tries) throw error;
      await counters.release();
    }
  }
}

/** From here on the mailing may send again. */
function endStop(trial: Trial, until: number): void {
  const last = trial.acknowledged.findLast((write) => write.what === 'sending stopped');
  if (last) last.until = until;
}

async function claimedNow(trial: Trial, mailing: number): Promise<Set<number>> {
  const rows = await trial.sql<{ id: number }>(
    `SELECT id FROM messages WHERE mailing_id = $1 AND status <> 'pending'`,
    mailing,
  );
  return new Set(rows.map(({ id }) => id));
}

async function statusOf(trial: Trial, mailing: number): Promise<string | undefined> {
  const [row] = await trial.sql<{ status: string }>(
    'SELECT status FROM mailings WHERE id = $1',
    mailing,
  );
  return row?.status;
}
