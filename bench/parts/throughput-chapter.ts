import { DEFAULT_DELIVERY_CONCURRENCY } from '@app/platform';
import { median, ratio, spread, whole } from '../figures.js';
import { table } from '../report/table.js';
import { WARM_UP_CLIENTS } from '../stack/clients.js';
import { type Cpu, CPU_USERS } from '../stack/cpu-meter.js';
import { type ContenderKey, CONTENDERS, type Round, type Run } from './throughput-runs.js';

export interface Comparison {
  one: ContenderKey;
  other: ContenderKey;
  ratios: number[];
  wanted: string;
}

export function throughputChapter(rounds: Round[], comparisons: Comparison[]): string {
  const measured = (Object.keys(CONTENDERS) as ContenderKey[])
    .map((key) => ({ ...CONTENDERS[key], runs: rounds.flatMap((round) => round[key] ?? []) }))
    .filter(({ runs }) => runs.length > 0);
  return [
    introduction(rounds.length),
    table(
      ['', 'messages', 'messages/s', 'first message on the wire, ms after POST'],
      measured.map(({ name, runs }) => speedRow(name, runs)),
    ),
    table(
      ['pair by pair', 'ratio', 'wanted'],
      comparisons
        .filter(({ ratios }) => ratios.length > 0)
        .map(({ one, other, ratios, wanted }) => [
          `${CONTENDERS[one].name} : ${CONTENDERS[other].name}`,
          spread(ratios, ratio),
          wanted,
        ]),
    ),
    WHERE_THE_TIME_GOES,
    table(
      ['', ...CPU_USERS, 'all'],
      measured.map(({ name, runs }) =>
        cpuRow(
          name,
          runs.map(({ cpu }) => cpu),
        ),
      ),
    ),
  ].join('\n\n');
}

function speedRow(name: string, runs: Run[]): string[] {
  const first = runs.flatMap(({ firstMessageMs }) => firstMessageMs ?? []);
  return [
    name,
    whole(median(runs.map(({ messages }) => messages))),
    spread(runs.map(({ perSecond }) => perSecond)),
    first.length === 0 ? '' : spread(first),
  ];
}

/** Medians, milliseconds per 1,000 messages. */
export function cpuRow(name: string, runs: Cpu[]): string[] {
  const values = CPU_USERS.map((user) => median(runs.map((cpu) => cpu[user])));
  return [name, ...values.map(whole), whole(values.reduce((sum, value) => sum + value, 0))];
}

function introduction(rounds: number): string {
  return `The real api, beat and worker processes, started again for each measurement, on a fresh database
and a fresh queue, with the settings of an installation that sets nothing: one worker, concurrency ${DEFAULT_DELIVERY_CONCURRENCY}.
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

CPU time of each process, milliseconds per 1,000 messages (medians); a yardstick's own process stands in
the worker's column. The cores are shared by all of them, the provider's stand-in included, so the sum
bounds the throughput, and so does each process but PostgreSQL, for it uses one core at a time.`;
