import { setTimeout as sleep } from 'node:timers/promises';
import { rounded, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import type { Api } from '../stack/api.js';
import { lastPhones } from '../stack/clients.js';
import type { Servers } from '../stack/servers.js';
import { peakRss } from '../stack/usage.js';
import { withWarmInstallation } from '../stack/warm-installation.js';

const CLIENTS = 1_000_000;
/** After planning, it is sent for so long before it is cancelled. */
const SENDING_MS = 60_000;
const LIMIT_MS = 300_000;
const SMALL = 100;
/** From the beginning, and from the end of planning, until the small mailing comes in between, ms. */
const SMALL_AFTER_MS = 2_000;

/** One mailing to a million clients: planned how fast, at what price in memory? */
export const million: Part = {
  name: 'million',
  heading: 'One mailing to 1,000,000 clients',
  long: true,
  needsRedis: true,
  run: async ({ servers, say }) => {
    const run = await runMillion(servers, say);
    const { plannedSeconds, firstMessageMs, peaks, sent, sentSeconds, cancelSeconds, small } = run;
    const rowsPerSecond = CLIENTS / plannedSeconds;
    const cancelled = CLIENTS - sent;
    return {
      figures: {
        million: {
          plannedRowsPerSecond: rounded(rowsPerSecond),
          firstMessageMs: rounded(firstMessageMs),
          smallMailingSeconds: rounded(Math.max(small.whilePlanning, small.whileSending)),
          sentPerSecond: rounded(sent / sentSeconds),
          cancelledRowsPerSecond: rounded(cancelled / cancelSeconds),
          peakRssMb: Object.fromEntries(
            Object.entries(peaks).map(([name, value]) => [name, rounded(value)]),
          ),
        },
      },
      chapter: [
        `Planned while the first messages are already being sent, on the Redis queue; ${SENDING_MS / 1_000} s after planning
has ended the mailing is cancelled. At the end the stand-in has got each message that counts as sent
exactly once, and ${whole(sent)} sent and ${whole(cancelled)} cancelled add up.`,
        table(
          ['', 'measured', 'wanted'],
          [
            ['planned, rows/s from POST to the last one', whole(rowsPerSecond), '≥ 60,000'],
            ['first message on the wire, ms after POST', whole(firstMessageMs), '≤ 1,000'],
            [
              `a mailing of ${SMALL} meanwhile, s from POST to its end: while the large one is planned`,
              small.whilePlanning.toFixed(2),
              '≤ 3',
            ],
            ['the same while the large one is only sent', small.whileSending.toFixed(2), '≤ 3'],
            ['sent, messages/s, planning included', whole(sent / sentSeconds), ''],
            ['cancelled, rows/s', whole(cancelled / cancelSeconds), ''],
            ['worker, peak RSS, MB', whole(peaks.worker), '≤ 250'],
            ['beat, peak RSS, MB', whole(peaks.beat), '≤ 250'],
            ['api, peak RSS, MB', whole(peaks.api), ''],
            ['Redis, peak RSS, MB', whole(peaks.redis), '≤ 60'],
          ],
        ),
      ].join('\n\n'),
    };
  },
};

function runMillion(servers: Servers, say: (line: string) => void) {
  const { simulator } = servers;
  return withWarmInstallation(
    servers,
    { backend: 'redis', clients: CLIENTS },
    async (installation, redis) => {
      const { id, postedAt } = await installation.api.createMailing('million');
      await sleep(SMALL_AFTER_MS);
      const whilePlanning = await sendSmall(installation.api);
      await installation.api.checkStillPlanning(id);
      await installation.api.untilPlanned(id, LIMIT_MS);
      const plannedAt = Date.now();
      const plannedSeconds = (plannedAt - postedAt) / 1_000;
      say(`  planned in ${plannedSeconds.toFixed(1)} s`);
      await sleep(SMALL_AFTER_MS);
      const whileSending = await sendSmall(installation.api);
      await sleep(plannedAt + SENDING_MS - Date.now());
      const cancelledAt = Date.now();
      await installation.api.cancel(id);
      const finishedAt = await installation.api.untilFinished(id, LIMIT_MS);
      const { sent } = await installation.api.checkCounts(id, CLIENTS, ['sent', 'cancelled']);
      const { firstAt } = await simulator.checkEachOnce(sent + 2 * SMALL);
      return {
        plannedSeconds,
        firstMessageMs: firstAt - postedAt,
        small: { whilePlanning, whileSending },
        sent,
        sentSeconds: (cancelledAt - postedAt) / 1_000,
        cancelSeconds: (finishedAt - cancelledAt) / 1_000,
        peaks: { ...installation.peaks(), redis: redis ? peakRss(redis.pid) : NaN },
      };
    },
  );
}

/** @returns seconds from before POST to the completion of a mailing to a few. */
async function sendSmall(api: Api): Promise<number> {
  const phones = lastPhones(SMALL, CLIENTS);
  const { id, postedAt } = await api.createMailing('small', { filter: { phones } });
  const finishedAt = await api.untilFinished(id, LIMIT_MS);
  await api.checkCounts(id, SMALL, ['sent']);
  return (finishedAt - postedAt) / 1_000;
}
