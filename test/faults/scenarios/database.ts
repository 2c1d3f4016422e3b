import { sleep, waitFor } from '@app/testkit';
import pg from 'pg';
import { BOTH, scenarios } from '../scenario.js';
import { now, type Trial } from '../trial.js';

const STEADY = { latency: { distribution: 'fixed', ms: 50 } };
const AT_ONCE_MS = 5_000;
const MINUTE_MS = 60_000;

export const databaseScenarios = scenarios(
  {
    name: 'postgres-crashed',
    holds: 'sending resumes within 30 s; meanwhile the API answers 503, and recovers by itself',
    backends: BOTH,
    short: true,
    run: async (trial) => {
      const { postgres } = trial.cluster.options;
      await trial.clients(2_500);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      await postgres.crash();
      await expectRefusals(trial);
      await sleep(3_000);
      const resumed = trial.resumes('PostgreSQL was started again', 30_000);
      await postgres.resume();
      await resumed;
      await waitFor(async () => (await trial.call('GET', `/mailings/${mailing}`)).status === 200, {
        timeoutMs: 15_000,
        what: 'the API has recovered',
      });
      await trial.finished(mailing);
    },
  },
  {
    name: 'postgres-sessions-terminated',
    holds: 'all sessions end at once, those that listen too, five times: sending goes on in 30 s',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(2_500);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      const since = now();
      for (let time = 0; time < 5; time++) {
        const { sent } = await trial.counters(mailing);
        await trial.sent(mailing, Math.min(sent + 150, 2_000));
        const ended = await trial.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name <> 'suite' AND pid <> pg_backend_pid()`,
        );
        trial.expect(ended.length > 0, 'there were sessions to end');
      }
      await trial.finished(mailing);
      await trial.pauses('the sessions were terminated', 30_000, since);
    },
  },
  {
    name: 'postgres-half-open',
    holds: 'dead connections are noticed within 60 s',
    backends: BOTH,
    duplicates: 0,
    settleMs: 120_000,
    run: async (trial) => {
      await trial.clients(2_500);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      const since = now();
      trial.proxies.postgres.freeze();
      await trial.finished(mailing, 150_000);
      await trial.pauses('the connections to PostgreSQL died silently', MINUTE_MS, since);
    },
  },
  {
    name: 'postgres-connections-reset',
    holds: 'twenty resets in the middle of statements lose and double nothing',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(2_500);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      for (let time = 0; time < 20; time++) {
        await sleep(trial.random.between(100, 400));
        trial.proxies.postgres.cut();
      }
      await trial.drains(mailing, 'the last reset', MINUTE_MS);
    },
  },
  {
    name: 'postgres-answers-lost',
    holds: 'statements arrive and their answers do not: claims are read again, nothing is doubled',
    backends: BOTH,
    settleMs: 120_000,
    run: async (trial) => {
      const { postgres } = trial.proxies;
      await trial.clients(2_000);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 100);
      for (let time = 0; time < 6; time++) {
        await sleep(trial.random.between(200, 600));
        postgres.drop('down');
        await sleep(trial.random.between(20, 60));
        postgres.cut();
        await postgres.heal();
      }
      await trial.drains(mailing, 'the last loss', MINUTE_MS);
    },
  },
  {
    name: 'postgres-connections-exhausted',
    holds: 'the server takes no connection for 20 s; sending goes on within 30 s after that',
    backends: BOTH,
    run: async (trial) => {
      await trial.clients(2_500);
      await trial.provider.faults(STEADY);
      const mailing = await trial.mailing();
      await trial.sent(mailing, 200);
      const hoard = await takeAllConnections(trial);
      await sleep(20_000);
      const resumed = trial.resumes('connections were free again', 30_000);
      await Promise.all(hoard.map((client) => client.end()));
      await resumed;
      await trial.finished(mailing);
    },
  },
);

/** Every route that needs the database says so at once, instead of waiting for it. */
async function expectRefusals(trial: Trial): Promise<void> {
  const answers = [
    await trial.call('GET', '/mailings'),
    await trial.call('POST', '/mailings', trial.mailingBody()),
    await trial.call('GET', '/mailings/statistics'),
  ];
  for (const { status, tookMs } of answers) {
    trial.expect(status === 503, `without a database the API answers 503, not ${status}`);
    trial.expect(tookMs < AT_ONCE_MS, `it answers at once, not after ${Math.round(tookMs)} ms`);
  }
}

/** Ends our sessions and takes every connection there is before they can come back. */
async function takeAllConnections(trial: Trial): Promise<pg.Client[]> {
  const hoard: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client({
      connectionString: trial.cluster.databaseUrl,
      application_name: 'suite',
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      hoard.push(client);
    } catch {
      const ended = await trial.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name <> 'suite'`,
      );
      if (ended.length === 0) return hoard;
    }
  }
}
