import { median, rounded, spread, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import type { Servers } from '../stack/servers.js';
import { withWarmHouse } from '../stack/warm-house.js';

const FEW = 50_000;
const MANY = 1_000_000;
/** At most so many rounds with many clients: planning takes longer than what is measured. */
const ROUNDS_OF_MANY = 3;
/** Messages/s: the mailing runs, and nearly all of it still waits at its end. */
const RATE = 10;
/** From the edit until the mailing's new end, ms. */
const NOTICE_MS = 2_000;
const LIMIT_MS = 300_000;

interface Expired {
  rows: number;
  /** From the mailing's end until its last row had changed. */
  seconds: number;
}

/** A running mailing comes to its end with nearly all of its messages waiting: how soon are they expired? */
export const expiry: Part = {
  name: 'expiry',
  heading: 'The end of a mailing whose messages wait',
  long: true,
  needsRedis: true,
  run: async ({ servers, options, say }) => {
    const few = await repeat(options.runs, () => expire(servers, FEW), say);
    const many = await repeat(
      Math.min(options.runs, ROUNDS_OF_MANY),
      () => expire(servers, MANY),
      say,
    );
    const seconds = few.map((run) => run.seconds);
    const speeds = many.map(({ rows, seconds: taken }) => rows / taken);
    return {
      figures: {
        expiry: {
          secondsFor50000: rounded(median(seconds)),
          rowsPerSecondOfMillion: rounded(median(speeds)),
        },
      },
      chapter: [
        `A running mailing with a rate of ${RATE} messages/s, planned to its last row, gets an end ${NOTICE_MS / 1_000} s from
now. Counted is from that end until the mailing's last row is expired and the mailing finished, beat's
looking at the clock included; on the Redis queue, with everything running. Medians of ${few.length} and
${many.length} runs.`,
        table(
          ['', 'measured', 'wanted'],
          [
            [`${whole(FEW)} clients, s`, spread(seconds, (value) => value.toFixed(2)), '≤ 2'],
            [`${whole(MANY)} clients, rows/s`, spread(speeds), '≥ 100,000'],
          ],
        ),
      ].join('\n\n'),
    };
  },
};

async function repeat(
  times: number,
  run: () => Promise<Expired>,
  say: (line: string) => void,
): Promise<Expired[]> {
  const runs: Expired[] = [];
  while (runs.length < times) {
    const { rows, seconds } = await run();
    say(`  ${whole(rows)} rows in ${seconds.toFixed(2)} s, ${whole(rows / seconds)} rows/s`);
    runs.push({ rows, seconds });
  }
  return runs;
}

function expire(servers: Servers, clients: number): Promise<Expired> {
  return withWarmHouse(servers, { backend: 'redis', clients }, async ({ api }) => {
    const { id } = await api.createMailing('measured', { ratePerSecond: RATE });
    await api.untilPlanned(id, LIMIT_MS);
    const endAt = Date.now() + NOTICE_MS;
    await api.end(id, endAt);
    const finishedAt = await api.untilFinished(id, LIMIT_MS);
    const { expired } = await api.checkCounts(id, clients, ['sent', 'expired']);
    return { rows: expired, seconds: (finishedAt - endAt) / 1_000 };
  });
}
