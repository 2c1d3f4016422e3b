import { setTimeout as sleep } from 'node:timers/promises';
import { addFinishedMailings } from '@app/testkit';
import pg from 'pg';
import { rounded, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import { Installation } from '../stack/installation.js';
import type { Servers } from '../stack/servers.js';

const CLIENTS = 2_000;
const FINISHED = [0, 300_000];
/** The beginning of a leadership is not counted, ms. */
const SETTLE_MS = 12_000;
const MEASURED_MS = 30_000;

interface Rest {
  finished: number;
  /** Share of the time in which a session of beat had a statement under way, %. */
  busyPercent: number;
}

/** What does beat cost while nothing happens? */
export const idle: Part = {
  name: 'idle',
  heading: 'Beat at rest',
  long: true,
  needsRedis: true,
  run: async ({ servers, say }) => {
    const rests: Rest[] = [];
    for (const finished of FINISHED) {
      const rest = { finished, busyPercent: await measureRest(servers, finished) };
      say(`  ${whole(finished)} finished mailings: ${rest.busyPercent.toFixed(2)} %`);
      rests.push(rest);
    }
    return {
      figures: {
        idleBeatBusyPercent: Object.fromEntries(
          rests.map(({ finished, busyPercent }) => [finished, rounded(busyPercent)]),
        ),
      },
      chapter: [
        `One beat, no mailing under way. For ${MEASURED_MS / 1_000} s the server adds up the time in which any of beat's sessions
has a statement under way (\`pg_stat_database.active_time\`): those of the leader and those that only read.`,
        table(
          ['finished mailings', 'busy, %', 'wanted'],
          rests.map(({ finished, busyPercent }) => [
            whole(finished),
            busyPercent.toFixed(2),
            finished === 0 ? '' : '< 1',
          ]),
        ),
      ].join('\n\n'),
    };
  },
};

async function measureRest(servers: Servers, finished: number): Promise<number> {
  const database = await servers.createDatabase(CLIENTS);
  const redis = await servers.startRedis();
  const name = new URL(database.url).pathname.slice(1);
  const session = new pg.Client({ connectionString: database.url });
  await session.connect();
  if (finished > 0) await addFinishedMailings(session, finished);
  await session.end();
  const installation = await Installation.open({
    databaseUrl: database.url,
    queueUrl: redis.url,
    providerUrl: servers.simulator.providerUrl,
    workers: 0,
  });
  // In a database of its own, so that looking is not counted.
  const watcher = new pg.Client({ connectionString: database.url.replace(name, 'postgres') });
  await watcher.connect();
  try {
    await sleep(SETTLE_MS);
    const before = await activeMs(watcher, name);
    await sleep(MEASURED_MS);
    const after = await activeMs(watcher, name);
    return (100 * (after.activeMs - before.activeMs)) / (after.at - before.at);
  } finally {
    await watcher.end();
    await installation.close();
    await redis.stop();
    await database.drop();
  }
}

async function activeMs(watcher: pg.Client, database: string) {
  const { rows } = await watcher.query<{ activeMs: number }>(
    'SELECT active_time AS "activeMs" FROM pg_stat_database WHERE datname = $1',
    [database],
  );
  const [row] = rows;
  if (!row) throw new Error(`The server knows no database ${database}`);
  return { activeMs: row.activeMs, at: performance.now() };
}
