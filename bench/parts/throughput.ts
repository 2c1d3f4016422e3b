import { median, rounded } from '../figures.js';
import type { Part } from '../part.js';
import { type Comparison, throughputChapter } from './throughput-chapter.js';
import { type ContenderKey, type Round, type Run, runRound } from './throughput-runs.js';

/** How fast is a whole mailing, and how does that compare with doing less? */
export const throughput: Part = {
  name: 'throughput',
  heading: 'A whole mailing, from POST to completed',
  long: false,
  needsRedis: false,
  run: async (bench) => {
    const { options, say, hasTime } = bench;
    const rounds: Round[] = [];
    for (let round = 1; round <= options.runs && (round === 1 || hasTime()); round++) {
      say(`round ${round}`);
      rounds.push(await runRound(bench, round % 2 === 0));
    }
    const comparisons = {
      vsBareBullmq: compare(rounds, 'redis', 'bareRedis', '≥ 0.7'),
      vsRowAtATime: compare(rounds, 'redis', 'rowAtATime', '≥ 4'),
      postgresVsBareBullmq: compare(rounds, 'postgres', 'barePostgres', '≥ 1.0'),
      postgresVsRedis: compare(rounds, 'postgres', 'redis', ''),
    };
    const figure = (key: ContenderKey, of: (run: Run) => number | undefined) => {
      const values = rounds.flatMap((round) => (round[key] && of(round[key])) ?? []);
      return values.length === 0 ? null : rounded(median(values));
    };
    const perSecond = (run: Run) => run.perSecond;
    const firstMessageMs = (run: Run) => run.firstMessageMs;
    return {
      figures: {
        rounds: rounds.length,
        clients: options.clients,
        throughput: { redis: figure('redis', perSecond), postgres: figure('postgres', perSecond) },
        yardsticks: {
          bareBullmqRedis: figure('bareRedis', perSecond),
          bareBullmqPostgres: figure('barePostgres', perSecond),
          rowAtATime: figure('rowAtATime', perSecond),
        },
        ratios: Object.fromEntries(
          Object.entries(comparisons).map(([name, { ratios }]) => [
            name,
            ratios.length === 0 ? null : rounded(median(ratios)),
          ]),
        ),
        firstMessageMs: {
          redis: figure('redis', firstMessageMs),
          postgres: figure('postgres', firstMessageMs),
        },
      },
      chapter: throughputChapter(rounds, Object.values(comparisons)),
    };
  },
};

/** Pair by pair: the machine's speed drifts from round to round. */
function compare(
  rounds: Round[],
  one: ContenderKey,
  other: ContenderKey,
  wanted: string,
): Comparison {
  const ratios = rounds.flatMap((round) => {
    const [a, b] = [round[one], round[other]];
    return a && b ? [a.perSecond / b.perSecond] : [];
  });
  return { one, other, wanted, ratios };
}
