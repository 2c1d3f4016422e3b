import { waitFor } from '@app/testkit';
import { BOTH, scenarios } from '../scenario.js';
import { leaderSessions } from '../sessions.js';
import type { Trial } from '../trial.js';

const STEADY = { latency: { distribution: 'fixed', ms: 50 } };

/** Settings that a DBA may have made, each unlike what we need. */
const HOSTILE = {
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Tokyo',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  search_path: 'nowhere',
  default_transaction_isolation: 'serializable',
  lock_timeout: '1ms',
  idle_session_timeout: '1s',
  exit_on_error: 'on',
  enable_indexscan: 'off',
};

export const sessionScenarios = scenarios(
  {
    name: 'settings-of-the-dba',
    holds: 'whatever is set on the database, a mailing with hours is read, planned and sent',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(300);
      await trial.provider.faults(STEADY);
      for (const [name, value] of Object.entries(HOSTILE)) {
        await ofDatabase(trial, `SET ${name} = '${value}'`);
      }
      await endOurSessions(trial);
      const window = { from: '00:00', to: '23:59', timezone: 'Europe/Moscow' };
      const mailing = await waitFor(() => trial.mailing({ window, endsInMs: 172_800_000 }), {
        timeoutMs: 15_000,
        what: 'the API takes a mailing',
      });
      const { status } = await trial.call('GET', `/mailings/${mailing}`);
      trial.expect(status === 200, `the mailing can be read, and not ${status}`);
      await trial.finished(mailing);
    },
  },
  {
    name: 'server-takes-no-writes',
    holds: 'sessions that can only read are given up: all is sent within 30 s on new ones',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(2_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      const [leader] = await leaderSessions(trial);
      // Another server takes the writes now: open sessions can only read, new ones can write.
      await ofDatabase(trial, 'SET default_transaction_read_only = off');
      await ofServer(trial, 'SET default_transaction_read_only = on');
      try {
        await trial.drains(mailing, 'the server took no writes any more', 30_000);
        const [other] = await leaderSessions(trial);
        trial.expect(other !== leader, 'beat leads with another session');
      } finally {
        await ofServer(trial, 'RESET default_transaction_read_only');
      }
    },
  },
);

/** @param change `SET name = value`, for sessions that begin from now on. */
async function ofDatabase(trial: Trial, change: string): Promise<void> {
  await trial.sql(
    `ALTER DATABASE "${new URL(trial.cluster.databaseUrl).pathname.slice(1)}" ${change}`,
  );
}

/** For every session, those that are open too. */
async function ofServer(trial: Trial, change: string): Promise<void> {
  await trial.sql(`ALTER SYSTEM ${change}`);
  await trial.sql('SELECT pg_reload_conf()');
}

async function endOurSessions(trial: Trial): Promise<void> {
  await trial.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name <> 'suite' AND pid <> pg_backend_pid()`,
  );
}
