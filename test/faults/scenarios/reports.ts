import { waitFor } from '@app/testkit';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

/** More than are looked at together. */
const UNWRITABLE = 25;

export const reportScenarios = scenarios({
  name: 'report-that-cannot-be-written',
  holds: 'reports that nobody can write say why; those of others are written within 10 s',
  backends: BOTH,
  run: async (trial) => {
    const audience = await trial.clients(50);
    await trial.sql(
      `INSERT INTO reports (kind, key, transport, message_id, not_before, give_up_at)
       SELECT 'completion', 'nothing ' || n, 'email', gen_random_uuid(), now(), now() + interval '1 day'
       FROM generate_series(1, ${UNWRITABLE}) n`,
    );
    const mailing = await trial.mailing({ audience });
    await trial.finished(mailing);
    await isReported(trial, mailing, 10_000);
    const broken = await trial.sql(
      `SELECT 1 FROM reports WHERE key LIKE 'nothing %' AND status = 'pending' AND error LIKE 'It could not be written: %'`,
    );
    trial.expect(broken.length === UNWRITABLE, `${broken.length} of ${UNWRITABLE} say why`);
  },
});

/** Measures from now until the report of a mailing is written. */
async function isReported(trial: Trial, mailing: number, limitMs: number): Promise<void> {
  const since = now();
  const look = async () => {
    const rows = await trial.sql(
      'SELECT 1 FROM reports WHERE mailing_id = $1 AND content IS NOT NULL',
      mailing,
    );
    return rows.length === 1;
  };
  const after = 'reports came that cannot be written, with that of another mailing';
  const tookMs = await waitFor(look, { timeoutMs: limitMs, what: after }).then(
    () => now() - since,
    () => null,
  );
  trial.resumptions.push({ after, tookMs, limitMs });
}
