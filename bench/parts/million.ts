import { setTimeout as sleep } from 'node:timers/promises';
import { rounded, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import type { Servers } from '../stack/servers.js';
import { peakRss } from '../stack/usage.js';
import { withWarmHouse } from '../stack/warm-house.js';

const CLIENTS = 1_000_000;
/** After planning, it is sent for so long before it is cancelled. */
const SENDING_MS = 60_000;
const LIMIT_MS = 300_000;

/** One mailing to a million clients: planned how fast, at what price in memory? */
export const million: Part = {
  name: 'million',
  heading: 'One mailing to 1,000,000 clients',
  long: true,
  needsRedis: true,
  run: async ({ servers, say }) => {
    const run = await runMillion(servers, say);
    const { plannedSeconds, firstMessageMs, peaks, sent, sentSeconds, cancelSeconds } = run;
    const rowsPerSecond = CLIENTS / plannedSeconds;
    const cancelled = CLIENTS - sent;
    return {
      figures: {
        million: {
          plannedRowsPerSecond: rounded(rowsPerSecond),
          firstMessageMs: rounded(firstMessageMs),
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
  return withWarmHouse(servers, { backend: 'redis', clients: CLIENTS }, async (house, redis) => {
    const { id, postedAt } = await house.api.createMailing('million');
    await house.api.untilPlanned(id, LIMIT_MS);
    const plannedSeconds = (Date.now() - postedAt) / 1_000;
    say(`  planned in ${plannedSeconds.toFixed(1)} s`);
    await sleep(SENDING_MS);
    const cancelledAt = Date.now();
    await house.api.cancel(id);
    const finishedAt = await house.api.untilFinished(id, LIMIT_MS);
    const { sent } = await house.api.checkCounts(id, CLIENTS, ['sent', 'cancelled']);
    const { firstAt } = await simulator.checkEachOnce(sent);
    return {
      plannedSeconds,
      firstMessageMs: firstAt - postedAt,
      sent,
      sentSeconds: (cancelledAt - postedAt) / 1_000,
      cancelSeconds: (finishedAt - cancelledAt) / 1_000,
      peaks: { ...house.peaks(), redis: redis ? peakRss(redis.pid) : NaN },
    };
  });
}
