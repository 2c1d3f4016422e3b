import { median, rounded, spread, whole } from '../figures.js';
import type { Part } from '../part.js';
import { table } from '../report/table.js';
import type { Api, AudienceFilter } from '../stack/api.js';
import { codesOf } from '../stack/clients.js';
import type { Servers } from '../stack/servers.js';
import { withWarmInstallation } from '../stack/warm-installation.js';

const FEW = 50_000;
const MANY = 1_000_000;
/** With many clients: planning takes longer than what is measured. */
const ROUNDS_OF_MANY = 3;
/** Messages/s: the mailing runs, and nearly all of it still waits at its end. */
const RATE = 10;
/** From the edit until the mailing's new end, ms. */
const NOTICE_MS = 3_000;
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
    const many = await repeat(ROUNDS_OF_MANY, () => expire(servers, MANY), say);
    const beside = await repeat(ROUNDS_OF_MANY, () => expireBesidePlanning(servers), say);
    const speeds = many.map(({ rows, seconds: taken }) => rows / taken);
    return {
      figures: {
        expiry: {
          secondsFor50000: rounded(median(secondsOf(few))),
          secondsFor50000WhilePlanning: rounded(median(secondsOf(beside))),
          rowsPerSecondOfMillion: rounded(median(speeds)),
        },
      },
      chapter: [
        `A running mailing with a rate of ${RATE} messages/s, planned to its last row, gets an end ${NOTICE_MS / 1_000} s from
now. Counted is from that end until the mailing's last row is expired and the mailing finished, beat's
looking at the clock included; on the Redis queue, with everything running. The third line is the end of
a mailing to ${whole(FEW)} while another one to ${whole(MANY)} is planned and sent. Medians of ${few.length},
${many.length} and ${beside.length} runs.`,
        table(
          ['', 'measured', 'wanted'],
          [
            [`${whole(FEW)} clients, s`, spread(secondsOf(few), hundredths), '≤ 2'],
            [`${whole(MANY)} clients, rows/s`, spread(speeds), '≥ 100,000'],
            ['beside planning, s', spread(secondsOf(beside), hundredths), '≤ 2'],
          ],
        ),
      ].join('\n\n'),
    };
  },
};

const secondsOf = (runs: Expired[]) => runs.map((run) => run.seconds);
const hundredths = (value: number) => value.toFixed(2);

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

interface Planned {
  id: number;
  total: number;
}

function expire(servers: Servers, clients: number): Promise<Expired> {
  return withWarmInstallation(servers, { backend: 'redis', clients }, async ({ api }) => {
    const mailing = await plan(api);
    if (mailing.total !== clients) throw new Error(`${mailing.total} of ${clients} are planned`);
    return end(api, mailing);
  });
}

function expireBesidePlanning(servers: Servers): Promise<Expired> {
  return withWarmInstallation(servers, { backend: 'redis', clients: MANY }, async ({ api }) => {
    const mailing = await plan(api, { operatorCodes: codesOf(FEW, MANY) });
    const other = await api.createMailing('other');
    const expired = await end(api, mailing);
    await api.checkStillPlanning(other.id);
    return expired;
  });
}

/** @returns a running mailing that is planned to its last row. */
async function plan(api: Api, filter: AudienceFilter = {}): Promise<Planned> {
  const { id } = await api.createMailing('measured', { ratePerSecond: RATE, filter });
  await api.untilPlanned(id, LIMIT_MS);
  const { total } = await api.statistics(id);
  return { id, total };
}

async function end(api: Api, { id, total }: Planned): Promise<Expired> {
  const endAt = Date.now() + NOTICE_MS;
  await api.end(id, endAt);
  const finishedAt = await api.untilFinished(id, LIMIT_MS);
  const { expired } = await api.checkCounts(id, total, ['sent', 'expired']);
  return { rows: expired, seconds: (finishedAt - endAt) / 1_000 };
}
