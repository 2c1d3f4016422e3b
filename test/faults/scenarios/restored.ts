import pg from 'pg';
import { BOTH, scenarios } from '../scenario.js';
import type { Trial } from '../trial.js';

const FORMER = '917';
const LATER = '918';
const CLIENTS = 300;

/** Copies the database, and restores the copy. */
interface Keeper {
  keep: () => Promise<void>;
  putBack: () => Promise<void>;
}

export const restoredScenarios = scenarios(
  {
    name: 'database-folder-put-back',
    holds: 'an older copy of the folder gives out no id that the provider has seen',
    backends: BOTH,
    run: (trial) => restore(trial, folderOf(trial)),
  },
  {
    name: 'database-restored-from-a-dump',
    holds: 'an older state in the same server gives out no id that the provider has seen',
    backends: BOTH,
    run: (trial) => restore(trial, dumpOf(trial)),
  },
);

/** A mailing, the copy, another mailing, the restore, and a third one to other clients than these. */
async function restore(trial: Trial, { keep, putBack }: Keeper): Promise<void> {
  const first = await trial.clients(CLIENTS, { operatorCode: '916' });
  const former = await trial.clients(CLIENTS, { operatorCode: FORMER });
  const later = await trial.clients(CLIENTS, { operatorCode: LATER });
  await trial.finished(await trial.mailing({ operatorCodes: ['916'], audience: first }));
  await keep();

  const lost = await mailingAfterOutage(trial, FORMER, former);
  await trial.finished(lost);
  const seen = new Set(await idsOf(trial, lost));
  await putBack();
  trial.forget(lost); // the restore has removed it, as it should

  const next = await mailingAfterOutage(trial, LATER, later);
  await trial.finished(next);
  const again = (await idsOf(trial, next)).filter((id) => seen.has(id));
  trial.expect(seen.size === CLIENTS, 'the mailing that was lost had reached everybody');
  trial.expect(again.length === 0, `${again.length} ids were given out a second time`);
}

/** As soon as the API has found the database again. */
async function mailingAfterOutage(trial: Trial, code: string, audience: number[]): Promise<number> {
  const options = { operatorCodes: [code], audience };
  for (let tries = 1; ; tries++) {
    const body = trial.mailingBody(options);
    const answer = await trial.call<{ id: number }>('POST', '/mailings', body).catch(() => null);
    if (answer?.status === 201) {
      trial.created(answer.body.id, audience);
      return answer.body.id;
    }
    if (tries === 100) throw new Error(`no mailing could be created: ${answer?.status}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function idsOf(trial: Trial, mailing: number): Promise<number[]> {
  const rows = await trial.sql<{ id: number }>(
    'SELECT id FROM messages WHERE mailing_id = $1',
    mailing,
  );
  return rows.map(({ id }) => id);
}

/** A copy of the folder, made and put back while the server is down. */
function folderOf({ cluster }: Trial): Keeper {
  const { postgres } = cluster.options;
  const whileDown = async (work: () => void) => {
    await postgres.crash();
    work();
    await postgres.resume();
  };
  return {
    keep: () =>
      whileDown(() => {
        postgres.copyFolder();
      }),
    putBack: () =>
      whileDown(() => {
        postgres.putBackFolder();
      }),
  };
}

/** A copy of the database beside it, which takes its place: what a dump and its restore make. */
function dumpOf({ cluster }: Trial): Keeper {
  const name = new URL(cluster.databaseUrl).pathname.slice(1);
  const alone = async (...statements: string[]) => {
    const admin = new pg.Client({ connectionString: cluster.options.postgres.adminUrl });
    await admin.connect();
    try {
      await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
      for (const statement of statements) await admin.query(statement);
      await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
    } finally {
      await admin.end();
    }
  };
  return {
    keep: () => alone(`CREATE DATABASE ${name}_dump TEMPLATE ${name}`),
    putBack: () =>
      alone(`DROP DATABASE ${name} WITH (FORCE)`, `ALTER DATABASE ${name}_dump RENAME TO ${name}`),
  };
}
