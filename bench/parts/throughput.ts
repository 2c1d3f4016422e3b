import { median, ratio, rounded, spread, whole } from '../figures.js';
import type { Bench, Part, PartResult } from '../part.js';
import { table } from '../report/table.js';
import { WARM_UP_CLIENTS } from '../stack/clients.js';
import type { MailingRun } from '../stack/mailing-run.js';
import { type Round, runRound, type Sizes, sizesFor } from './throughput-runs.js';

/** How fast is a whole mailing, and how does that compare with doing less? */
export const throughput: Part = {
  name: 'throughput',
  heading: 'A whole mailing, from POST to completed',
  long: false,
  needsRedis: false,
  run: async (bench) => {
    const { options, say, hasTime } = bench;
    const sizes = sizesFor(options.clients);
    const rounds: Round[] = [];
    for (let round = 1; round <= options.runs && (round === 1 || hasTime()); round++) {
      say(`round ${round}`);
      rounds.push(await runRound(bench, sizes, round % 2 === 0));
    }
    return resultOf(bench, rounds, sizes);
  },
};

/** Of those rounds that have both, pair by pair: the machine's speed drifts between rounds. */
function ratios(
  rounds: Round[],
  of: (round: Round) => number | undefined,
  to: (round: Round) => number | null,
): number[] {
  return rounds.flatMap((round) => {
    const [a, b] = [of(round), to(round)];
    return a !== undefined && b !== null ? [a / b] : [];
  });
}

function resultOf(bench: Bench, rounds: Round[], sizes: Sizes): PartResult {
  const redis = rounds.flatMap((round) => round.redis ?? []);
  const postgres = rounds.map((round) => round.postgres);
  const bareRedis = rounds.flatMap((round) => round.bareRedis ?? []);
  const ofRedis = (round: Round) => round.redis?.perSecond;
  const ofPostgres = (round: Round) => round.postgres.perSecond;
  const all = {
    vsBareBullmq: ratios(rounds, ofRedis, (round) => round.bareRedis),
    vsRowAtATime: ratios(rounds, ofRedis, (round) => round.rowAtATime),
    postgresVsBareBullmq: ratios(rounds, ofPostgres, (round) => round.barePostgres),
    postgresVsRedis: ratios(rounds, ofPostgres, (round) => round.redis?.perSecond ?? null),
  };
  const speeds = {
    redis: redis.map((run) => run.perSecond),
    postgres: postgres.map((run) => run.perSecond),
    bareRedis,
    barePostgres: rounds.map((round) => round.barePostgres),
    rowAtATime: rounds.map((round) => round.rowAtATime),
  };
  const first = { redis: redis.map(firstMs), postgres: postgres.map(firstMs) };
  return {
    figures: {
      rounds: rounds.length,
      clients: bench.options.clients,
      throughput: { redis: figure(speeds.redis), postgres: figure(speeds.postgres) },
      yardsticks: {
        bareBullmqRedis: figure(speeds.bareRedis),
        bareBullmqPostgres: figure(speeds.barePostgres),
        rowAtATime: figure(speeds.rowAtATime),
      },
      ratios: Object.fromEntries(
        Object.entries(all).map(([name, values]) => [name, figure(values)]),
      ),
      firstMessageMs: { redis: figure(first.redis), postgres: figure(first.postgres) },
    },
    chapter: [
      introduction(rounds.length),
      table(
        ['', 'messages', 'messages/s', 'first message on the wire, ms after POST'],
        [
          row('Posthorn, Redis queue', sizes.redis, speeds.redis, first.redis),
          row('Posthorn, Postgres queue', sizes.postgres, speeds.postgres, first.postgres),
          row('bare BullMQ on Redis', sizes.redis, speeds.bareRedis),
          row('bare BullMQ on Postgres', sizes.barePostgres, speeds.barePostgres),
          row('row at a time', sizes.rowAtATime, speeds.rowAtATime),
        ],
      ),
      table(
        ['pair by pair', 'ratio', 'wanted'],
        [
          ['Posthorn on Redis : bare BullMQ on Redis', show(all.vsBareBullmq), '≥ 0.7'],
          ['Posthorn on Redis : row at a time', show(all.vsRowAtATime), '≥ 4'],
          [
            'Posthorn on Postgres : bare BullMQ on Postgres',
            show(all.postgresVsBareBullmq),
            '≥ 0.65',
          ],
          ['Posthorn on Postgres : Posthorn on Redis', show(all.postgresVsRedis), ''],
        ],
      ),
      WHERE_THE_TIME_GOES,
      costs(redis, postgres),
    ].join('\n\n'),
  };
}

const firstMs = (run: MailingRun) => run.firstMessageMs;
const figure = (values: number[]) => (values.length === 0 ? null : rounded(median(values)));
const show = (values: number[]) => (values.length === 0 ? 'no Redis' : spread(values, ratio));

function row(name: string, messages: number, speeds: number[], first: number[] = []): string[] {
  return [
    name,
    whole(messages),
    speeds.length === 0 ? 'no Redis' : spread(speeds),
    first.length === 0 ? '' : spread(first),
  ];
}

function introduction(rounds: number): string {
  return `The real api, beat and worker processes, started anew for each measurement, on a fresh database
and a fresh queue, with the settings of an installation that sets nothing: one worker, concurrency 256.
${whole(WARM_UP_CLIENTS)} messages go through first, for everybody, and are not counted. Counted is from
before \`POST /mailings\` until the mailing is completed, planning and bookkeeping included; then the
stand-in is asked whether each client was served exactly once, else the bench fails.

- **bare BullMQ**: a process that puts one job per message into the queue (\`addBulk\` of 1,000), then works
  them off at the same concurrency with one undici POST each. No database, no state, no repetition.
- **row at a time**: rows stored and queued at once, then for each message a SELECT, a POST through plain
  axios, an UPDATE of its row and one of the mailing's counters.

Medians of ${rounds} rounds, in brackets the extremes; a round runs everything once, every other round
backwards.`;
}

const WHERE_THE_TIME_GOES = `### Where the time goes

CPU time of each process, milliseconds per 1,000 messages (medians). The cores are shared by all of them,
the provider's stand-in included, so their sum bounds the throughput.`;

function costs(redis: MailingRun[], postgres: MailingRun[]): string {
  const names = ['worker', 'beat', 'api', 'postgres', 'redis', 'simulator'] as const;
  const line = (title: string, runs: MailingRun[]) => {
    const values = names.map((name) => median(runs.map((run) => run.cpu[name])));
    const sum = values.reduce((total, value) => total + value, 0);
    return [title, ...values.map(whole), whole(sum)];
  };
  return table(
    ['', ...names, 'all'],
    [...(redis.length === 0 ? [] : [line('Redis queue', redis)]), line('Postgres queue', postgres)],
  );
}
